// Every field and enum value of collector.proto as "Message.number": "label type name".
import { join } from "node:path"
import protobuf from "protobufjs"

export const fieldNumbersFile = "field-numbers.json"

/** The contract as the schema has it now. */
export function currentFields() {
  return Object.fromEntries([...walk(root().lookup("backflow.v1"), "")])
}

/** Numbers that a message reserves, as "Message.number". */
export function isReserved(key) {
  const [path, number] = split(key)
  return root().lookup(`backflow.v1.${path}`).isReservedId(number)
}

export function split(key) {
  const dot = key.lastIndexOf(".")
  return [key.slice(0, dot), Number(key.slice(dot + 1))]
}

function root() {
  return new protobuf.Root().loadSync(join(import.meta.dirname, "backflow/v1/collector.proto"), { keepCase: true })
}

function* walk(parent, path) {
  for (const child of parent.nestedArray ?? []) {
    const name = path === "" ? child.name : `${path}.${child.name}`
    if (child instanceof protobuf.Enum)
      for (const [value, number] of Object.entries(child.values)) yield [`${name}.${number}`, `value ${value}`]
    if (!(child instanceof protobuf.Type)) continue
    for (const { id, type, name: field, repeated } of child.fieldsArray)
      yield [`${name}.${id}`, `${repeated ? "repeated " : ""}${type} ${field}`]
    yield* walk(child, name)
  }
}
