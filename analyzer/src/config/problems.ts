import { z } from "zod"
import { nearest } from "./nearest.js"

/** One thing wrong with the configuration. */
export interface Problem {
  /** Where: "listen.window", "policy.approved[0].reason", or the name of a variable. */
  readonly path: string
  readonly message: string
}

type Step = PropertyKey

/** Dotted, with list positions in brackets. */
function formatPath(path: readonly Step[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}${text === "" ? "" : "."}${String(step)}`),
    "",
  )
}

/** Names that an object of the schema at `path` may have; empty when there is none. */
function knownNames(schema: z.core.$ZodType, path: readonly Step[] = []): readonly string[] {
  const found = path.reduce<z.core.$ZodType | undefined>((at, step) => inside(at, step), bare(schema))
  const object = found === undefined ? undefined : bare(found)
  return object instanceof z.ZodObject ? Object.keys(object.shape) : []
}

function inside(schema: z.core.$ZodType | undefined, step: Step): z.core.$ZodType | undefined {
  const at = schema === undefined ? undefined : bare(schema)
  if (at instanceof z.ZodArray) return at.element
  if (at instanceof z.ZodObject) return (at.shape as Record<string, z.core.$ZodType>)[String(step)]
  return undefined
}

/** Without defaults and optionality around it. */
function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return bare(schema.unwrap())
  return schema
}

/** Every problem in plain words, each with what to write instead where that can be told. */
export function problemsOf(error: z.ZodError, schema: z.core.$ZodType, value: unknown): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = formatPath(issue.path)
    if (issue.code === "unrecognized_keys") {
      const known = knownNames(schema, issue.path)
      return issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: unknownName(key, known) }))
    }
    return [{ path: path === "" ? "(file)" : path, message: wording(issue, at(value, issue.path)) }]
  })
}

/** What to say of a name that does not exist. */
export function unknownName(name: string, known: readonly string[]): string {
  const close = nearest(name, known)
  return close === undefined ? `is not known: use one of ${known.join(", ")}` : `is not known: did you mean ${close}?`
}

function wording(issue: z.core.$ZodIssue, value: unknown): string {
  const shown = value === undefined || typeof value === "object" ? "" : `${withoutCredentials(JSON.stringify(value))} `
  if (issue.code === "invalid_type" && value === undefined) return `is missing: give ${article(issue.expected)}`
  if (issue.code === "invalid_type" && !issue.message.startsWith("must"))
    return `${shown}must be ${article(issue.expected)}`
  if (issue.code === "invalid_value" && typeof value === "string") {
    const values = issue.values.map(String)
    return `${shown}${unknownName(value, values)}`
  }
  return `${shown}${issue.message}`
}

function article(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    object: "named values",
    array: "a list",
    string: "text",
    int: "a whole number",
    number: "a number",
  }
  return words[expected] ?? expected
}

function at(value: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>(
    (found, step) =>
      typeof found === "object" && found !== null ? (found as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  )
}

/** Without the name and password that a URL may hold. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^@/"]*@/, "//")
}
