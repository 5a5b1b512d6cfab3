type CamelCase<Text extends string> = Text extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Text

/** A part of the configuration file as code has it: after_seconds is afterSeconds, and nothing can be changed. */
export type CamelKeys<Value> = Value extends readonly (infer Item)[]
  ? readonly CamelKeys<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value as Key extends string ? CamelCase<Key> : Key]: CamelKeys<Value[Key]> }
    : Value

/** The same values under camelCase keys, at every depth. For what YAML can hold: objects, lists, texts, numbers, booleans. */
export function camelKeys<Value>(value: Value): CamelKeys<Value> {
  return renamed(value) as CamelKeys<Value>
}

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [camelCase(key), renamed(part)]))
}

function camelCase(key: string): string {
  return key.replace(/_(.)/g, (_, first: string) => first.toUpperCase())
}
