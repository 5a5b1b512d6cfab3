import { z } from "zod"
import { served } from "./listen-schema.js"
import { gibibyte, integerBetween, name, path, withDefault } from "./setting-types.js"

const clusterName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+$/, { error: "is no name of a cluster: use letters, digits, _ - ." })

const databaseName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "is no database name: use letters, digits and _" })

// The engine counts the end of a row's life in 32 bits of seconds, which end in 2106.
const days = integerBetween(1, 3_650)

export const store = z.strictObject({
  /** Without one, the embedded engine in the state folder. */
  url: z
    .url({ protocol: /^https?$/, error: "is no http:// or https:// URL of a ClickHouse server" })
    .refine((text) => !URL.canParse(text) || new URL(text).username === "", {
      error: "holds a name or password, which logs would show: give store.username and store.password_file",
    })
    .optional(),
  username: withDefault(name, "default", "name", "What a new ClickHouse server has."),
  password_file: path.optional(),
  /** Certificate authority of the server, instead of the system's. */
  ca_file: path.optional(),
  /** Servers of this cluster hold Replicated tables behind Distributed ones. */
  cluster: clusterName.optional(),
  /** The read-only ClickHouse interface over the embedded store. Off without an address: few need SQL from outside. */
  serve: served.prefault({}),
  database: withDefault(databaseName, "backflow", "name", "One server can hold several under other names."),
  retention_days: withDefault(
    days,
    30,
    "days",
    "Connection records; investigations of tunnels went back weeks. About 50 bytes each on disk.",
  ),
  finding_retention_days: withDefault(days, 365, "days", "Findings and incidents are few and small."),
  rollup_retention_days: withDefault(
    days,
    400,
    "days",
    "Hourly sums by program; a year can be compared with the one before. Less than 1 % of the records' size.",
  ),
  quota_bytes: withDefault(
    integerBetween(10_000_000, Number.MAX_SAFE_INTEGER),
    20 * gibibyte,
    "bytes on disk",
    "Some 400 million connection records; the oldest days go first, so that a busy host cannot fill the disk.",
  ),
  memory_bytes: withDefault(
    integerBetween(100_000_000, Number.MAX_SAFE_INTEGER),
    gibibyte,
    "bytes a statement",
    "The engine would take up to 90 % of the machine's memory. Inserts need 0.3 GiB, a query over 10 million rows too.",
  ),
  query_seconds: withDefault(
    integerBetween(1, 86_400),
    60,
    "seconds",
    "Of 10 million connection records, the newest 100 take 0.3 s to list and 100,000 take 2 s.",
  ),
})
