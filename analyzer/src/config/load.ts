import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { parseDocument } from "yaml"
import { AppError, messageOf } from "../errors.js"
import { rule } from "../domain/networks.js"
import type { NetworkRule } from "../domain/networks.js"
import type { PolicyRules } from "../policy/policy.js"
import { put, withEnvironment } from "./environment.js"
import { problemsOf } from "./problems.js"
import type { Problem } from "./problems.js"
import { fileSchema } from "./schema.js"
import type { ConfigFile } from "./schema.js"

/** The whole configuration, checked and frozen. Folders and files are absolute. */
export interface Config {
  /** Folder for everything that Backflow writes. */
  readonly state: string
  readonly logLevel: ConfigFile["log"]["level"]
  readonly listen: {
    /** As the file or `--listen` has it; undefined leaves the choice to the command. */
    readonly address: string | undefined
    readonly tls:
      { readonly certFile: string; readonly keyFile: string; readonly clientCaFile: string | undefined } | undefined
    readonly tokenFile: string | undefined
  }
  readonly store: {
    /** Undefined for the embedded engine in the state folder. */
    readonly url: string | undefined
    readonly username: string
    readonly passwordFile: string | undefined
    readonly database: string
    readonly retentionDays: number
    readonly findingRetentionDays: number
    readonly quotaBytes: number
    readonly memoryBytes: number
    readonly querySeconds: number
  }
  readonly networks: readonly NetworkRule[]
  readonly detectors: { readonly longLivedSsh: { readonly afterSeconds: number } }
  readonly policy: PolicyRules
}

/** What overrules the file, and what overrules that. */
export interface Sources {
  /** Path of the YAML file; without one the defaults hold. */
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By path in the file: {"listen.address": "127.0.0.1:0"}. */
  readonly flags?: Readonly<Record<string, string | undefined>>
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

function configOf(file: ConfigFile): Config {
  const tls = file.listen.tls
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(name))
  return {
    state: resolve(file.state),
    logLevel: file.log.level,
    listen: {
      address: file.listen.address,
      tls: tls && {
        certFile: resolve(tls.cert_file),
        keyFile: resolve(tls.key_file),
        clientCaFile: path(tls.client_ca_file),
      },
      tokenFile: path(file.listen.token_file),
    },
    store: {
      url: file.store.url,
      username: file.store.username,
      passwordFile: path(file.store.password_file),
      database: file.store.database,
      retentionDays: file.store.retention_days,
      findingRetentionDays: file.store.finding_retention_days,
      quotaBytes: file.store.quota_bytes,
      memoryBytes: file.store.memory_bytes,
      querySeconds: file.store.query_seconds,
    },
    networks: [
      ...file.inside.map((text) => rule(text, "inside")),
      ...file.outside.map((text) => rule(text, "outside")),
    ],
    detectors: { longLivedSsh: { afterSeconds: file.detectors.long_lived_ssh.after_seconds } },
    policy: file.policy,
  }
}

function freeze<Value>(value: Value): Value {
  // Bytes cannot be frozen.
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}
