import { z } from "zod"
import { fileSchema } from "./schema.js"
import { nearest } from "./nearest.js"
import { unknownName } from "./problems.js"
import type { Problem } from "./problems.js"

const prefix = "BACKFLOW_"

/** A value of the file that a variable can give. */
interface Setting {
  readonly path: readonly string[]
  readonly kind: "text" | "number" | "list"
}

/** Every variable by its name: BACKFLOW_STORE_RETENTION_DAYS is store.retention_days. Lists of texts are split at commas. */
const variables: ReadonlyMap<string, Setting> = new Map(
  settings(fileSchema, []).map((setting) => [prefix + setting.path.join("_").toUpperCase(), setting]),
)

function settings(schema: z.core.$ZodType, path: readonly string[]): Setting[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return settings(schema.unwrap(), path)
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.core.$ZodType>).flatMap(([name, part]) =>
      settings(part, [...path, name]),
    )
  }
  if (schema instanceof z.ZodArray) return schema.element instanceof z.ZodString ? [{ path, kind: "list" }] : []
  return [{ path, kind: schema instanceof z.ZodNumber ? "number" : "text" }]
}

/**
 * `tree` with what the environment says put in its place; the tree itself is left alone. A name that is near to none of ours
 * is somebody else's: Kubernetes gives each pod BACKFLOW_SERVICE_HOST and BACKFLOW_PORT for a Service named backflow.
 */
export function withEnvironment(
  tree: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly tree: Record<string, unknown>; readonly problems: readonly Problem[] } {
  const result = structuredClone(tree) as Record<string, unknown>
  const problems: Problem[] = []
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined) continue
    const setting = variables.get(name)
    const known = [...variables.keys()]
    if (setting === undefined && nearest(name, known) !== undefined)
      problems.push({ path: name, message: unknownName(name, known) })
    if (setting !== undefined) put(result, setting.path, valueOf(text, setting.kind))
  }
  return { tree: result, problems }
}

function valueOf(text: string, kind: Setting["kind"]): unknown {
  if (kind === "list")
    return text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
  // Text that is no number stays text, and the schema says what is wrong with it.
  return kind === "number" && /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text
}

/** Sets the value at `path`, making the objects on the way. What stands in the way and is no object is left to the schema. */
export function put(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path
  if (name === undefined) return
  if (rest.length === 0) {
    tree[name] = value
    return
  }
  const next = tree[name] ?? {}
  tree[name] = next
  if (typeof next === "object" && !Array.isArray(next)) put(next as Record<string, unknown>, rest, value)
}
