import { hostname } from "node:os"
import { z } from "zod"
import { parseListen } from "./listen-address.js"
import { gibibyte, integerBetween, name, path, withDefault } from "./setting-types.js"
import { severities } from "../domain/severity.js"

/** The form in which a finding leaves: the project's own JSON, OCSF 1.8 Detection Finding, or Elastic Common Schema. */
const format = z.enum(["finding", "ocsf", "ecs"])
const ownFormat = withDefault(format, "finding", "format", "All that is known, under the names of the documentation.")

const broker = z.string().refine((text) => /^(\[[^\]]+\]|[^:\s]+):\d{1,5}$/.test(text), {
  error: "is no broker: write host:port, such as kafka-1.example:9092",
})

/** A name that is no address leads anywhere. */
const isOnThisHost = (text: string) => parseListen(text)?.loopback === true

const topic = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}$/, { error: "is no name of a topic: use letters, digits, . _ -" })

const kafka = z
  .strictObject({
    brokers: z.array(broker).min(1, { error: "names no broker: write [kafka-1.example:9092]" }),
    topic: withDefault(topic, "backflow.findings.v1", "name", "The version of the form is in the name."),
    format: withDefault(format, "ocsf", "format", "Consumers of a topic are many, and know the standard form."),
    client_id: withDefault(name, "backflow", "name", "What the broker's own logs and quotas show."),
    tls: z
      .strictObject({ ca_file: path.optional(), cert_file: path.optional(), key_file: path.optional() })
      .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
        error: "names one of cert_file and key_file: give both, or neither",
      })
      .optional(),
    sasl: z
      .strictObject({
        mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]),
        username: name,
        password_file: path,
      })
      .optional(),
  })
  .refine(({ brokers, sasl, tls }) => sasl === undefined || tls !== undefined || brokers.every(isOnThisHost), {
    path: ["tls"],
    error: "is missing: without it the password of sasl would cross the network for all to read (tls: {} is enough)",
  })

const webhook = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: "is no http:// or https:// URL" }),
  format: ownFormat,
  token_file: path.optional(),
  ca_file: path.optional(),
})

export const alerts = z.strictObject({
  /** This severity and above leaves as an alert. */
  severity: withDefault(z.enum(severities), "medium", "severity", "Medium and above is what wakes a person."),
  /** CloudEvents source. */
  source: withDefault(
    name,
    `/backflow/${hostname()}`,
    "name",
    "The same over restarts, since consumers recognise repeats by it.",
  ),
  per_identity_per_minute: withDefault(
    integerBetween(0, 100_000),
    10,
    "first alerts of one identity and severity a minute, 0 for no limit",
    "A person reads no more, and one process can make thousands; what is more leaves in one alert that says how many.",
  ),
  outbox_bytes: withDefault(
    integerBetween(1_000_000, Number.MAX_SAFE_INTEGER),
    gibibyte / 4,
    "bytes on disk, for each of kafka, webhook and file",
    "About 60,000 alerts of 4 kB: days of a broker's absence, and no more of the disk.",
  ),
  kafka: kafka.optional(),
  webhook: webhook.optional(),
  file: z.strictObject({ path, format: ownFormat }).optional(),
})
