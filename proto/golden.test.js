import { readFileSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import protobuf from "protobufjs"
import { describe, expect, it } from "vitest"
import { currentFields, fieldNumbersFile, isReserved, split } from "./fields.mjs"
import { backflow } from "./gen/collector.js"

const folder = join(import.meta.dirname, "golden")
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".bin"))
  .map((name) => basename(name, ".bin"))
const bytesOf = (name) => readFileSync(join(folder, `${name}.bin`))
const jsonOf = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"))

describe("golden batches", () => {
  it("are these", () => {
    expect(names).toEqual(["dictionary", "full", "heartbeat", "hello", "small"])
  })

  it.each(names)("%s.bin says what %s.json says", (name) => {
    const wire = backflow.v1.CollectorMessage
    const message = wire.decode(bytesOf(name))
    expect(wire.toObject(message, { longs: String, bytes: String, enums: String })).toEqual(jsonOf(name))
  })

  it.each(names)("%s.bin is what encoding gives", (name) => {
    const wire = backflow.v1.CollectorMessage
    expect(Buffer.from(wire.encode(wire.fromObject(jsonOf(name))).finish())).toEqual(bytesOf(name))
  })

  it("leave no field of what a collector sends untried", () => {
    const schema = new protobuf.Root().loadSync(join(import.meta.dirname, "backflow/v1/collector.proto"))
    const tried = new Set()
    const visit = (type, object) => {
      for (const [name, value] of Object.entries(object)) {
        const field = type.fields[name].resolve()
        tried.add(`${type.fullName}.${name}`)
        if (!(field.resolvedType instanceof protobuf.Type)) continue
        for (const one of Array.isArray(value) ? value : [value]) visit(field.resolvedType, one)
      }
    }
    const start = schema.lookupType("backflow.v1.CollectorMessage")
    for (const name of names) visit(start, jsonOf(name))

    const reachable = new Set()
    const collect = (type) => {
      for (const field of type.fieldsArray) {
        const key = `${type.fullName}.${field.name}`
        if (reachable.has(key)) continue
        reachable.add(key)
        if (field.resolve().resolvedType instanceof protobuf.Type) collect(field.resolvedType)
      }
    }
    collect(start)
    expect([...reachable].filter((key) => !tried.has(key))).toEqual([])
  })
})

describe("field numbers", () => {
  const listed = jsonOf(basename(fieldNumbersFile, ".json"))
  const current = currentFields()

  it.each(Object.keys(listed))("%s keeps its meaning or is reserved", (key) => {
    if (current[key] === undefined) expect(isReserved(key)).toBe(true)
    else expect(current[key]).toBe(listed[key])
  })

  it("are all on the list: npm run golden adds new ones", () => {
    expect(Object.keys(current).filter((key) => listed[key] === undefined)).toEqual([])
  })

  it("are read from the schema", () => {
    expect(split("Edge.Kind.4")).toEqual(["Edge.Kind", 4])
    expect(current["Edge.Kind.4"]).toBe("value KIND_EXEC")
    expect(current["Connections.1"]).toBe("repeated fixed64 cookie")
  })
})
