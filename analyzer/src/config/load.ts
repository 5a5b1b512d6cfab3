import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { resolve } from "node:path"
import { parseDocument } from "yaml"
import { AppError, messageOf } from "../errors.js"
import { rule } from "../domain/networks.js"
import type { NetworkRule } from "../domain/networks.js"
import type { Severity } from "../domain/severity.js"
import type { PolicyRules } from "../policy/policy.js"
import { put, withEnvironment } from "./environment.js"
import { problemsOf } from "./problems.js"
import type { Problem } from "./problems.js"
import { fileSchema } from "./schema.js"
import type { ConfigFile } from "./schema.js"

/** An HTTP listener. `address` is undefined where nobody chose one; "off" closes it. */
export interface ServedConfig {
  readonly address: string | undefined
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly tokenFile: string | undefined
}

export type AlertFormat = "finding" | "ocsf" | "ecs"

export interface KafkaConfig {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly format: AlertFormat
  readonly clientId: string
  readonly tls:
    | {
        readonly caFile: string | undefined
        readonly certFile: string | undefined
        readonly keyFile: string | undefined
      }
    | undefined
  readonly sasl:
    | {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512"
        readonly username: string
        readonly passwordFile: string
      }
    | undefined
}

export interface AlertsConfig {
  /** This severity and above leaves as an alert. */
  readonly severity: Severity
  /** CloudEvents source; the same over restarts, since consumers recognise repeats by it. */
  readonly source: string
  /** Most bytes on disk of what waits, for each of kafka, webhook and file. */
  readonly outboxBytes: number
  readonly kafka: KafkaConfig | undefined
  readonly webhook:
    | {
        readonly url: string
        readonly format: AlertFormat
        readonly tokenFile: string | undefined
        readonly caFile: string | undefined
      }
    | undefined
  readonly file: { readonly path: string; readonly format: AlertFormat } | undefined
}

/** The whole configuration, checked and frozen. Folders and files are absolute. */
export interface Config {
  /** Folder for everything that Backflow writes. */
  readonly state: string
  readonly logLevel: ConfigFile["log"]["level"]
  readonly logFormat: ConfigFile["log"]["format"]
  /** What a stop may take to write what is under way. */
  readonly stopSeconds: number
  readonly listen: {
    /** As the file or `--listen` has it; undefined leaves the choice to the command. */
    readonly address: string | undefined
    readonly tls:
      { readonly certFile: string; readonly keyFile: string; readonly clientCaFile: string | undefined } | undefined
    readonly tokenFile: string | undefined
  }
  /** The page, its API, /metrics and the health probes. */
  readonly page: ServedConfig
  readonly store: {
    /** Undefined for the embedded engine in the state folder. */
    readonly url: string | undefined
    readonly username: string
    readonly passwordFile: string | undefined
    /** Certificate authority of the server, instead of the system's. */
    readonly caFile: string | undefined
    /** Name of a cluster whose servers hold Replicated tables behind Distributed ones. */
    readonly cluster: string | undefined
    /** The read-only ClickHouse interface over the embedded store. */
    readonly serve: ServedConfig
    readonly database: string
    readonly retentionDays: number
    readonly findingRetentionDays: number
    readonly rollupRetentionDays: number
    readonly quotaBytes: number
    readonly memoryBytes: number
    readonly querySeconds: number
  }
  readonly alerts: AlertsConfig
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

function configOf(file: ConfigFile): Config {
  const tls = file.listen.tls
  return {
    state: resolve(file.state),
    logLevel: file.log.level,
    logFormat: file.log.format,
    stopSeconds: file.stop_seconds,
    listen: {
      address: file.listen.address,
      tls: tls && {
        certFile: resolve(tls.cert_file),
        keyFile: resolve(tls.key_file),
        clientCaFile: path(tls.client_ca_file),
      },
      tokenFile: path(file.listen.token_file),
    },
    page: served(file.page),
    alerts: alertsOf(file.alerts),
    store: {
      url: file.store.url,
      username: file.store.username,
      passwordFile: path(file.store.password_file),
      caFile: path(file.store.ca_file),
      cluster: file.store.cluster,
      serve: served(file.store.serve),
      database: file.store.database,
      retentionDays: file.store.retention_days,
      findingRetentionDays: file.store.finding_retention_days,
      rollupRetentionDays: file.store.rollup_retention_days,
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

function path(name: string | undefined): string | undefined {
  return name === undefined ? undefined : resolve(name)
}

function served({ address, tls, token_file }: ConfigFile["page"]): ServedConfig {
  return {
    address,
    tls: tls && { certFile: resolve(tls.cert_file), keyFile: resolve(tls.key_file) },
    tokenFile: path(token_file),
  }
}

function alertsOf({ severity, source, outbox_bytes, kafka, webhook, file }: ConfigFile["alerts"]): AlertsConfig {
  return {
    severity,
    source: source ?? `/backflow/${hostname()}`,
    outboxBytes: outbox_bytes,
    kafka: kafka && {
      brokers: kafka.brokers,
      topic: kafka.topic,
      format: kafka.format,
      clientId: kafka.client_id,
      tls: kafka.tls && {
        caFile: path(kafka.tls.ca_file),
        certFile: path(kafka.tls.cert_file),
        keyFile: path(kafka.tls.key_file),
      },
      sasl: kafka.sasl && {
        mechanism: kafka.sasl.mechanism,
        username: kafka.sasl.username,
        passwordFile: resolve(kafka.sasl.password_file),
      },
    },
    webhook: webhook && {
      url: webhook.url,
      format: webhook.format,
      tokenFile: path(webhook.token_file),
      caFile: path(webhook.ca_file),
    },
    file: file && { path: resolve(file.path), format: file.format },
  }
}

function freeze<Value>(value: Value): Value {
  // Bytes cannot be frozen.
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}
