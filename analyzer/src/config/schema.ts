import { z } from "zod"
import { parsePrefix } from "../domain/address.js"
import { alerts } from "./alerts-schema.js"
import { listen, served } from "./listen-schema.js"
import { policy } from "./policy-schema.js"
import { integerBetween, path, withDefault } from "./setting-types.js"
import { store } from "./store-schema.js"

const network = z.string().refine((text) => parsePrefix(text) !== undefined, {
  error: "is no network: write it as 10.0.0.0/8, fd00::/8 or one address",
})

const log = z.strictObject({
  level: withDefault(
    z.enum(["debug", "info", "warn", "error"]),
    "warn",
    "debug, info, warn or error",
    "Findings have their own way out; the log is for what goes wrong.",
  ),
  format: withDefault(
    z.enum(["auto", "json", "words"]),
    "auto",
    "auto, json or words",
    "Words on a terminal, one JSON object a line anywhere else.",
  ),
})

const detectors = z.strictObject({
  long_lived_ssh: z
    .strictObject({
      after_seconds: withDefault(
        integerBetween(10, 31_536_000),
        600,
        "seconds",
        "Copies, pushes and pulls over SSH end within minutes; a standing channel does not.",
      ),
    })
    .prefault({}),
})

const proof = z.strictObject({
  interval_minutes: withDefault(
    integerBetween(0, 10_080),
    60,
    "minutes; 0 for only on demand",
    "A host that has gone blind is known within the hour; a proof is a few hundred bytes inside the host.",
  ),
})

/** The configuration file as a person writes it, and with `parse` every default filled in and every path absolute. */
export const fileSchema = z.strictObject({
  /** For everything that Backflow writes. */
  state: withDefault(
    path,
    ".backflow",
    "folder",
    "Two checkouts or two runs from different folders do not meet; packages set /var/lib/backflow.",
  ),
  log: log.prefault({}),
  stop_seconds: withDefault(
    integerBetween(1, 3_600),
    30,
    "seconds",
    "What a stop may take to write what is under way; service managers kill after 60 to 90 s.",
  ),
  listen: listen.prefault({}),
  /** The page, its API, /metrics and the health probes. */
  page: served.prefault({}),
  store: store.prefault({}),
  alerts: alerts.prefault({}),
  inside: z.array(network).default([]),
  outside: z.array(network).default([]),
  detectors: detectors.prefault({}),
  proof: proof.prefault({}),
  policy: policy.prefault({}),
})

export type ConfigFile = z.output<typeof fileSchema>
