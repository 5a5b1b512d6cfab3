import { z } from "zod"
import { parsePrefix } from "../domain/address.js"
import { findingClasses } from "../domain/finding-classes.js"
import { severities } from "../domain/severity.js"
import { defaults } from "./defaults.js"
import { parseDestination } from "../policy/destination.js"
import { parseListen } from "./listen-address.js"

const network = z.string().refine((text) => parsePrefix(text) !== undefined, {
  error: "is no network: write it as 10.0.0.0/8, fd00::/8 or one address",
})

/** "203.0.113.9:443", "[2001:db8::1]:443", or a network with or without a port. */
const destination = z.string().refine((text) => parseDestination(text) !== undefined, {
  error:
    "is no destination: write a network (203.0.113.0/24), an address, or either with a port (203.0.113.9:443, [2001:db8::1]:443)",
})

const file = z.string().min(1, { error: "is empty: give the path of a file" })
const integerBetween = (min: number, max: number) =>
  z
    .int({ error: "must be a whole number" })
    .min(min, { error: `must be at least ${min}` })
    .max(max, { error: `must be at most ${max}` })

function isTcp(text: string): boolean {
  return parseListen(text)?.path === ""
}

function isLocal(address: string | undefined): boolean {
  return address === undefined || parseListen(address)?.loopback !== false
}

/** What is no address is told as such, and not also as one that lacks TLS. */
const reachesOnlyHere = (address: string | undefined) =>
  parseListen(address ?? defaults.listenAddress.value)?.loopback !== false

const listen = z
  .strictObject({
    address: z
      .string()
      .refine((text) => parseListen(text) !== undefined, {
        error: "is no address to listen on: write 127.0.0.1:4410, [::1]:4410 or unix:/path",
      })
      .optional(),
    tls: z.strictObject({ cert_file: file, key_file: file, client_ca_file: file.optional() }).optional(),
    token_file: file.optional(),
  })
  .refine(({ address, tls }) => tls !== undefined || reachesOnlyHere(address), {
    path: ["tls"],
    error:
      "is missing: an address that other machines reach needs cert_file and key_file (and token_file or client_ca_file)",
  })
  .refine(
    ({ address, tls, token_file }) =>
      tls === undefined || tls.client_ca_file !== undefined || token_file !== undefined || reachesOnlyHere(address),
    {
      path: ["token_file"],
      error:
        "is missing: an address that other machines reach needs token_file or tls.client_ca_file, or anyone could report connections",
    },
  )

/** Where people and programs ask by HTTP. What other machines reach is encrypted and wants a token. */
const served = z
  .strictObject({
    address: z
      .string()
      .refine((text) => text === "off" || isTcp(text), {
        error: "is no address to listen on: write 127.0.0.1:4480, [::1]:4480 or off",
      })
      .optional(),
    tls: z.strictObject({ cert_file: file, key_file: file }).optional(),
    token_file: file.optional(),
  })
  .refine(({ address, tls }) => tls !== undefined || isLocal(address), {
    path: ["tls"],
    error: "is missing: an address that other machines reach needs cert_file and key_file",
  })
  .refine(({ address, token_file }) => token_file !== undefined || isLocal(address), {
    path: ["token_file"],
    error: "is missing: an address that other machines reach needs a token that its readers know",
  })

const clusterName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+$/, { error: "is no name of a cluster: use letters, digits, _ - ." })

const store = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "is no http:// or https:// URL of a ClickHouse server" })
    .refine((text) => !URL.canParse(text) || new URL(text).username === "", {
      error: "holds a name or password, which logs would show: give store.username and store.password_file",
    })
    .optional(),
  username: z.string().min(1, { error: "is empty" }).default(defaults.storeUsername.value),
  password_file: file.optional(),
  ca_file: file.optional(),
  cluster: clusterName.optional(),
  serve: served.prefault({}),
  database: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "is no database name: use letters, digits and _" })
    .default(defaults.storeDatabase.value),
  // The engine counts the end of a row's life in 32 bits of seconds, which end in 2106.
  retention_days: integerBetween(1, 3_650).default(defaults.storeRetentionDays.value),
  finding_retention_days: integerBetween(1, 3_650).default(defaults.storeFindingRetentionDays.value),
  rollup_retention_days: integerBetween(1, 3_650).default(defaults.storeRollupRetentionDays.value),
  quota_bytes: integerBetween(10_000_000, Number.MAX_SAFE_INTEGER).default(defaults.storeQuotaBytes.value),
  memory_bytes: integerBetween(100_000_000, Number.MAX_SAFE_INTEGER).default(defaults.storeMemoryBytes.value),
  query_seconds: integerBetween(1, 86_400).default(defaults.storeQuerySeconds.value),
})

const identity = z
  .strictObject({
    exe: z.string().min(1).optional(),
    uid: integerBetween(0, 4_294_967_295).optional(),
    container: z.string().min(1).optional(),
    argv: z.string().min(1).optional(),
    ancestor: z.string().min(1).optional(),
  })
  .refine((value) => Object.values(value).some((part) => part !== undefined), {
    error: "names nobody: give at least one of exe, uid, container, argv, ancestor",
  })

const rule = z.strictObject({
  destination,
  identity: identity.optional(),
  classes: z.array(z.enum(findingClasses)).min(1).optional(),
  reason: z.string().min(1, { error: "is empty: say why, for the next person who reads this" }),
})

const detectors = z.strictObject({
  long_lived_ssh: z
    .strictObject({ after_seconds: integerBetween(10, 31_536_000).default(defaults.longLivedSshAfterSeconds.value) })
    .prefault({}),
})

/** The form in which a finding leaves: the project's own JSON, OCSF 1.8 Detection Finding, or Elastic Common Schema. */
const alertFormats = ["finding", "ocsf", "ecs"] as const

const broker = z.string().refine((text) => /^(\[[^\]]+\]|[^:\s]+):\d{1,5}$/.test(text), {
  error: "is no broker: write host:port, such as kafka-1.example:9092",
})

const kafka = z
  .strictObject({
    brokers: z.array(broker).min(1, { error: "names no broker: write [kafka-1.example:9092]" }),
    topic: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,249}$/, { error: "is no name of a topic: use letters, digits, . _ -" })
      .default(defaults.kafkaTopic.value),
    format: z.enum(alertFormats).default("ocsf"),
    client_id: z.string().min(1, { error: "is empty" }).default(defaults.kafkaClientId.value),
    tls: z
      .strictObject({ ca_file: file.optional(), cert_file: file.optional(), key_file: file.optional() })
      .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
        error: "names one of cert_file and key_file: give both, or neither",
      })
      .optional(),
    sasl: z
      .strictObject({
        mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]),
        username: z.string().min(1, { error: "is empty" }),
        password_file: file,
      })
      .optional(),
  })
  .refine(({ brokers, sasl, tls }) => sasl === undefined || tls !== undefined || brokers.every(isLocal), {
    path: ["tls"],
    error: "is missing: without it the password of sasl would cross the network for all to read (tls: {} is enough)",
  })

const webhook = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: "is no http:// or https:// URL" }),
  format: z.enum(alertFormats).default("finding"),
  token_file: file.optional(),
  ca_file: file.optional(),
})

const alerts = z.strictObject({
  severity: z.enum(severities).default(defaults.alertSeverity.value),
  source: z.string().min(1, { error: "is empty" }).optional(),
  outbox_bytes: integerBetween(1_000_000, Number.MAX_SAFE_INTEGER).default(defaults.alertOutboxBytes.value),
  kafka: kafka.optional(),
  webhook: webhook.optional(),
  file: z.strictObject({ path: file, format: z.enum(alertFormats).default("finding") }).optional(),
})

/** The configuration file as a person writes it, and with `parse` every default filled in. */
export const fileSchema = z.strictObject({
  state: z.string().min(1).default(defaults.state.value),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error"]).default(defaults.logLevel.value),
      format: z.enum(["auto", "json", "words"]).default(defaults.logFormat.value),
    })
    .prefault({}),
  stop_seconds: integerBetween(1, 3_600).default(defaults.stopSeconds.value),
  listen: listen.prefault({}),
  page: served.prefault({}),
  store: store.prefault({}),
  alerts: alerts.prefault({}),
  inside: z.array(network).default([]),
  outside: z.array(network).default([]),
  detectors: detectors.prefault({}),
  policy: z
    .strictObject({
      denied: z.array(rule).default([]),
      approved: z.array(rule).default([]),
      suppressed: z.array(rule).default([]),
    })
    .prefault({}),
})

export type ConfigFile = z.output<typeof fileSchema>
