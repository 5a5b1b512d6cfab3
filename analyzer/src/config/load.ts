import { readFileSync } from "node:fs"
import { parseDocument } from "yaml"
import { AppError, messageOf } from "../errors.js"
import { rule } from "../domain/networks.js"
import type { NetworkRule } from "../domain/networks.js"
import { camelKeys } from "./camel-keys.js"
import type { CamelKeys } from "./camel-keys.js"
import { put, withEnvironment } from "./environment.js"
import { problemsOf } from "./problems.js"
import type { Problem } from "./problems.js"
import { fileSchema } from "./schema.js"
import type { ConfigFile } from "./schema.js"

type Settings = CamelKeys<Omit<ConfigFile, "inside" | "outside">>

/** The whole configuration, checked and frozen: the keys of the file in camelCase. Folders and files are absolute. */
export interface Config extends Settings {
  /** `inside` and `outside` of the file, in this order. */
  readonly networks: readonly NetworkRule[]
}

/** An HTTP listener. `address` is undefined where nobody chose one; "off" closes it. */
export type ServedConfig = Config["page"]
export type AlertsConfig = Config["alerts"]
export type KafkaConfig = NonNullable<AlertsConfig["kafka"]>
export type AlertFormat = KafkaConfig["format"]

/** What overrules the file, and what overrules that. */
export interface Sources {
  /** Path of the YAML file; without one the defaults hold. */
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By path in the file: {"listen.address": "127.0.0.1:0"}. */
  readonly flags?: Readonly<Record<string, string | readonly string[] | undefined>>
}

export type Checked = { readonly config: Config } | { readonly problems: readonly Problem[] }

/** The configuration. Throws AppError "config" with every problem in its message. */
export function loadConfig(sources: Sources): Config {
  const checked = checkConfig(sources)
  if ("config" in checked) return checked.config
  const lines = checked.problems.map(({ path, message }) => `\n  ${path} ${message}`)
  throw new AppError(
    "config",
    `The configuration ${sources.file === undefined ? "" : `${sources.file} `}is not usable:${lines.join("")}`,
    "Correct it, and try it with: backflow check-config FILE",
  )
}

export function checkConfig({ file, environment, flags = {} }: Sources): Checked {
  const read = file === undefined ? { tree: {} } : readTree(file)
  if ("problems" in read) return read
  const { tree, problems } = withEnvironment(read.tree, environment)
  for (const [path, value] of Object.entries(flags)) if (value !== undefined) put(tree, path.split("."), value)
  const parsed = fileSchema.safeParse(tree)
  const all = [...problems, ...(parsed.success ? [] : problemsOf(parsed.error, fileSchema, tree))]
  return all.length > 0 || !parsed.success ? { problems: all } : { config: freeze(configOf(parsed.data)) }
}

function readTree(
  file: string,
): { readonly tree: Record<string, unknown> } | { readonly problems: readonly Problem[] } {
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch (thrown) {
    return { problems: [{ path: file, message: `cannot be read: ${messageOf(thrown)}` }] }
  }
  const document = parseDocument(text, { prettyErrors: true, merge: false })
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => ({ path: file, message: `is not YAML: ${messageOf(error)}` })) }
  }
  const tree: unknown = document.toJS({ maxAliasCount: 100 }) ?? {}
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) {
    return { problems: [{ path: file, message: "must hold named values, such as listen: and store:" }] }
  }
  return { tree: withoutEmpty(tree as Record<string, unknown>) }
}

/** A heading under which everything is commented out counts as absent. */
function withoutEmpty(tree: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== null))
}

function configOf({ inside, outside, ...settings }: ConfigFile): Config {
  const networks = [...inside.map((text) => rule(text, "inside")), ...outside.map((text) => rule(text, "outside"))]
  return { ...camelKeys(settings), networks }
}

function freeze<Value>(value: Value): Value {
  // Bytes cannot be frozen.
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}
