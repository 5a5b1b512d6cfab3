/**
 * Tables and views of the store. A migration's statements are idempotent: one that was cut off is simply run again.
 * Applied migrations are never edited; a change is a new one.
 */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: readonly string[]
}

/** Columns of `connections` in the order in which rows are written, with what identifies a connection first. */
export const connectionColumns = [
  ["host_id", "LowCardinality(String)"],
  ["boot_id", "LowCardinality(String)"],
  ["cookie", "UInt64"],
  ["host_name", "LowCardinality(String)"],
  ["instance", "LowCardinality(String)"],
  ["seq", "UInt64 CODEC(DoubleDelta, ZSTD(1))"],
  ["batch_at", "DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["reason", "Enum8('opened' = 0, 'moved' = 1, 'closed' = 2, 'identified' = 3)"],
  ["closed", "Enum8('open' = 0, 'vanished' = 1, 'closed' = 2)"],
  ["protocol", "Enum8('tcp' = 6, 'udp' = 17)"],
  ["initiator", "Enum8('unknown' = 0, 'local' = 1, 'remote' = 2)"],
  ["netns", "UInt32"],
  ["local_address", "IPv6 CODEC(ZSTD(1))"],
  ["local_port", "UInt16"],
  ["remote_address", "IPv6 CODEC(ZSTD(1))"],
  ["remote_port", "UInt16"],
  ["opened_at", "DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["observed_at", "DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["last_moved_at", "DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["bytes_sent", "UInt64 CODEC(T64, ZSTD(1))"],
  ["bytes_received", "UInt64 CODEC(T64, ZSTD(1))"],
  ["established", "Bool"],
  ["older_than_collector", "Bool"],
  ["ssh_local_ident", "Bool"],
  ["ssh_remote_ident", "Bool"],
  ["ssh_local_client", "Bool"],
  ["ssh_remote_client", "Bool"],
  ["pid", "UInt32"],
  ["start_ns", "UInt64 CODEC(ZSTD(1))"],
  ["exe", "LowCardinality(String)"],
  ["comm", "LowCardinality(String)"],
  ["argv", "Array(String) CODEC(ZSTD(1))"],
  ["uid", "UInt32"],
  ["container_id", "LowCardinality(String)"],
  ["remote_led", "UInt32"],
  ["remote_led_answered", "UInt32"],
  ["local_led", "UInt32"],
  ["local_led_answered", "UInt32"],
  ["local_reply_log2", "UInt64 CODEC(T64, ZSTD(1))"],
  ["remote_reply_log2", "UInt64 CODEC(T64, ZSTD(1))"],
  ["same_size_answers", "UInt32"],
  ["strict_alternations", "UInt32"],
  ["answer_bytes", "UInt64 CODEC(T64, ZSTD(1))"],
  ["outside", "Bool"],
] as const

export type ConnectionColumn = (typeof connectionColumns)[number][0]

export const findingColumns = [
  ["id", "UUID"],
  ["version", "UInt32"],
  ["first_detected_at", "DateTime64(6, 'UTC')"],
  ["detected_at", "DateTime64(6, 'UTC')"],
  ["first_seen", "DateTime64(6, 'UTC')"],
  ["last_seen", "DateTime64(6, 'UTC')"],
  ["class", "LowCardinality(String)"],
  ["detector", "LowCardinality(String)"],
  ["severity", "Enum8('info' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5)"],
  ["status", "LowCardinality(String)"],
  ["score", "Float64"],
  ["confidence", "Float64"],
  ["host_id", "LowCardinality(String)"],
  ["host_name", "LowCardinality(String)"],
  ["boot_id", "LowCardinality(String)"],
  ["pid", "UInt32"],
  ["exe", "String"],
  ["uid", "UInt32"],
  ["container_id", "String"],
  ["cookie", "UInt64"],
  ["remote_address", "IPv6"],
  ["remote_port", "UInt16"],
  ["still_open", "Bool"],
  ["summary", "String"],
  ["attack", "Array(LowCardinality(String))"],
  ["document", "String CODEC(ZSTD(3))"],
] as const

export const incidentColumns = [
  ["id", "UUID"],
  ["version", "UInt32"],
  ["status", "LowCardinality(String)"],
  ["severity", "Enum8('info' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5)"],
  ["score", "Float64"],
  ["host_id", "LowCardinality(String)"],
  ["host_name", "LowCardinality(String)"],
  ["identity", "String"],
  ["first_seen", "DateTime64(6, 'UTC')"],
  ["last_seen", "DateTime64(6, 'UTC')"],
  ["summary", "String"],
  ["findings", "Array(UUID)"],
  ["document", "String CODEC(ZSTD(3))"],
] as const

/** Points of the curves behind findings. The same batch read again gives the same points, which replace themselves. */
export const couplingColumns = [
  ["host_id", "LowCardinality(String)"],
  ["boot_id", "LowCardinality(String)"],
  ["cookie", "UInt64"],
  ["edge_group", "String"],
  ["channel", "String"],
  ["at", "DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["opened", "UInt32 CODEC(T64, ZSTD(1))"],
  ["forward_in", "UInt64 CODEC(T64, ZSTD(1))"],
  ["forward_out", "UInt64 CODEC(T64, ZSTD(1))"],
  ["backward_in", "UInt64 CODEC(T64, ZSTD(1))"],
  ["backward_out", "UInt64 CODEC(T64, ZSTD(1))"],
] as const

/** How each host stood every 10 s; the losses are running totals of one collector run (`instance`). */
export const hostReportColumns = [
  ["host_id", "LowCardinality(String)"],
  ["boot_id", "LowCardinality(String)"],
  ["instance", "LowCardinality(String)"],
  ["host_name", "LowCardinality(String)"],
  ["at", "DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["kernel", "LowCardinality(String)"],
  ["collector_version", "LowCardinality(String)"],
  ["degraded", "Array(LowCardinality(String))"],
  ["live_connections", "UInt32 CODEC(T64, ZSTD(1))"],
  ["processes", "UInt32 CODEC(T64, ZSTD(1))"],
  ["evicted", "UInt64 CODEC(T64, ZSTD(1))"],
  ["lost_ring_connection", "UInt64 CODEC(T64, ZSTD(1))"],
  ["lost_ring_exec", "UInt64 CODEC(T64, ZSTD(1))"],
  ["lost_ring_exit", "UInt64 CODEC(T64, ZSTD(1))"],
  ["lost_map_socket", "UInt64 CODEC(T64, ZSTD(1))"],
  ["lost_map_edge", "UInt64 CODEC(T64, ZSTD(1))"],
  ["shed_interim", "UInt64 CODEC(T64, ZSTD(1))"],
  ["shed_final", "UInt64 CODEC(T64, ZSTD(1))"],
  ["rejected", "UInt64 CODEC(T64, ZSTD(1))"],
] as const

/** What the analyzer itself counts (the names of /metrics), sampled every 15 s. */
export const metricColumns = [
  ["at", "DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["source", "LowCardinality(String)"],
  ["name", "LowCardinality(String)"],
  ["labels", "Map(LowCardinality(String), String)"],
  ["value", "Float64"],
] as const

type Columns = readonly (readonly [name: string, type: string])[]

const define = (columns: Columns) => columns.map(([name, type]) => `  ${name} ${type}`).join(",\n")
/** What a connection's rows share; the view takes everything else from the latest row. */
const identityColumns = ["host_id", "boot_id", "cookie"]
const laterColumns = connectionColumns.map(([name]) => name).filter((name) => !identityColumns.includes(name))

/** Inserts that a retry may repeat: one token each, and far fewer are ever under way. */
const rememberedInserts = 1_000

/** What retention counts from: a recording of last year may be analysed today, and its findings must not expire at birth. */
const storedAt = "stored_at DateTime('UTC') DEFAULT now()"

/** An acknowledged batch survives a loss of power; costs an insert 5 to 22 %. */
const durable = "fsync_after_insert = 1, fsync_part_directory = 1"

/**
 * The rows of one batch share `batch_at`, so one batch is always in one partition, and a part is written whole or not at
 * all: `max(seq)` of an instance tells which batches are durable.
 */
const connections = `CREATE TABLE IF NOT EXISTS connections (
${define(connectionColumns.filter(([name]) => name !== "outside"))},
  INDEX by_cookie cookie TYPE bloom_filter(0.01) GRANULARITY 2,
  INDEX by_remote remote_address TYPE bloom_filter(0.01) GRANULARITY 2
) ENGINE = MergeTree
PARTITION BY toDate(batch_at)
ORDER BY (toStartOfFiveMinutes(batch_at), host_id, remote_address, remote_port, cookie)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = ${rememberedInserts}, ${durable}`

/** A closed row wins over every open one, and the kernel's totals over what a snapshot concluded. */
const connectionsCurrent = (latestColumns: readonly string[]) => `CREATE OR REPLACE VIEW connections_current AS
SELECT ${identityColumns.join(", ")}, ${latestColumns.map((name, i) => `tupleElement(latest, ${i + 1}) AS ${name}`).join(", ")}
FROM (
  SELECT ${identityColumns.join(", ")}, argMax(tuple(${latestColumns.join(", ")}), (closed, observed_at, batch_at, seq)) AS latest
  FROM connections
  GROUP BY ${identityColumns.join(", ")}
)`

/**
 * The version that counts is the one decided last in event time. The sort key takes the moment of the first version,
 * which never changes: ReplacingMergeTree joins only rows with equal keys in one partition.
 */
const findings = `CREATE TABLE IF NOT EXISTS findings (
${define(findingColumns)},
  ${storedAt}
) ENGINE = ReplacingMergeTree(detected_at)
PARTITION BY toYYYYMM(first_detected_at)
ORDER BY (toDate(first_detected_at), class, id)
SETTINGS ${durable}`

const findingsCurrent = `CREATE OR REPLACE VIEW findings_current AS
SELECT * FROM findings ORDER BY detected_at DESC, version DESC LIMIT 1 BY id`

const incidents = `CREATE TABLE IF NOT EXISTS incidents (
${define(incidentColumns)},
  ${storedAt}
) ENGINE = ReplacingMergeTree(last_seen)
ORDER BY id
SETTINGS ${durable}`

const incidentsCurrent = `CREATE OR REPLACE VIEW incidents_current AS
SELECT * FROM incidents ORDER BY last_seen DESC, version DESC LIMIT 1 BY id`

const couplings = `CREATE TABLE IF NOT EXISTS couplings (
${define(couplingColumns)}
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (host_id, boot_id, cookie, edge_group, channel, at)
SETTINGS ttl_only_drop_parts = 1`

const hostReports = `CREATE TABLE IF NOT EXISTS host_reports (
${define(hostReportColumns)}
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (host_id, at, instance)
SETTINGS ttl_only_drop_parts = 1`

const metrics = `CREATE TABLE IF NOT EXISTS metrics (
${define(metricColumns)}
) ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY (name, source, at)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = ${rememberedInserts}`

/**
 * What each program of each host opened, by hour. Every row of a connection may come in any number of times: states of
 * distinct values do not grow by it, and bytes count from the one closing row.
 */
const outboundHourly = `CREATE TABLE IF NOT EXISTS outbound_hourly (
  hour DateTime('UTC'),
  host_id LowCardinality(String),
  host_name LowCardinality(String),
  container_id LowCardinality(String),
  uid UInt32,
  exe LowCardinality(String),
  outside Bool,
  connections AggregateFunction(uniq, LowCardinality(String), UInt64),
  addresses AggregateFunction(uniq, IPv6),
  endpoints AggregateFunction(uniq, IPv6, UInt16),
  bytes_sent SimpleAggregateFunction(sum, UInt64),
  bytes_received SimpleAggregateFunction(sum, UInt64),
  longest_seconds SimpleAggregateFunction(max, UInt32)
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, host_id, container_id, uid, exe, outside, host_name)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = ${rememberedInserts}`

const outboundHourlyView = `CREATE MATERIALIZED VIEW IF NOT EXISTS outbound_hourly_rows TO outbound_hourly AS
SELECT toStartOfHour(batch_at) AS hour, host_id, host_name, container_id, uid, exe, outside,
  uniqState(boot_id, cookie) AS connections,
  uniqState(remote_address) AS addresses,
  uniqState(remote_address, remote_port) AS endpoints,
  sum(if(reason = 'closed', bytes_sent, 0)) AS bytes_sent,
  sum(if(reason = 'closed', bytes_received, 0)) AS bytes_received,
  max(toUInt32(greatest(0, dateDiff('second', opened_at, observed_at)))) AS longest_seconds
FROM connections
WHERE initiator != 'remote'
GROUP BY hour, host_id, host_name, container_id, uid, exe, outside`

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: "connections, findings, incidents",
    statements: [
      connections,
      connectionsCurrent(laterColumns.filter((name) => name !== "outside")),
      findings,
      findingsCurrent,
      incidents,
      incidentsCurrent,
    ],
  },
  {
    version: 2,
    name: "outside, couplings, host reports, metrics, hourly sums",
    statements: [
      "ALTER TABLE connections ADD COLUMN IF NOT EXISTS outside Bool",
      connectionsCurrent(laterColumns),
      couplings,
      hostReports,
      metrics,
      outboundHourly,
      outboundHourlyView,
    ],
  },
]
