import type { TableDefinition } from "../client/dialect.js"
import {
  connectionColumns,
  couplingColumns,
  findingColumns,
  hostReportColumns,
  incidentColumns,
  metricColumns,
  outboundHourlyColumns,
} from "./columns.js"

/** What retention counts from: a recording of last year may be analysed today, and its findings must not expire at birth. */
const storedAt = ["stored_at", "DateTime('UTC') DEFAULT now()"] as const

/** An acknowledged batch survives a loss of power; costs an insert 5 to 22 %. */
const durable = ["fsync_after_insert = 1", "fsync_part_directory = 1"]
const dropsWholeParts = "ttl_only_drop_parts = 1"

/** Everything about one host is on one shard. */
const byHost = "cityHash64(host_id)"

/**
 * The rows of one batch share `batch_at`, so one batch is always in one partition, and a part is written whole or not at
 * all: `max(seq)` of an instance is the last batch that is durable.
 */
export const connections: TableDefinition = {
  name: "connections",
  columns: connectionColumns,
  indexes: [
    "INDEX by_cookie cookie TYPE bloom_filter(0.01) GRANULARITY 2",
    "INDEX by_remote remote_address TYPE bloom_filter(0.01) GRANULARITY 2",
  ],
  engine: { family: "" },
  partitionBy: "toDate(batch_at)",
  orderBy: "(toStartOfFiveMinutes(batch_at), host_id, remote_address, remote_port, cookie)",
  settings: [dropsWholeParts, ...durable],
  isDeduplicated: true,
  shardBy: byHost,
}

/**
 * The version that counts is the one decided last in event time. The sort key takes the moment of the first version,
 * which never changes: ReplacingMergeTree joins only rows with equal keys in one partition.
 */
export const findings: TableDefinition = {
  name: "findings",
  columns: [...findingColumns, storedAt],
  engine: { family: "Replacing", version: "detected_at" },
  partitionBy: "toYYYYMM(first_detected_at)",
  orderBy: "(toDate(first_detected_at), class, id)",
  settings: durable,
  shardBy: byHost,
}

export const incidents: TableDefinition = {
  name: "incidents",
  columns: [...incidentColumns, storedAt],
  engine: { family: "Replacing", version: "last_seen" },
  orderBy: "id",
  settings: durable,
  shardBy: byHost,
}

export const couplings: TableDefinition = {
  name: "couplings",
  columns: couplingColumns,
  engine: { family: "Replacing" },
  partitionBy: "toDate(at)",
  orderBy: "(host_id, boot_id, cookie, edge_group, channel, at)",
  settings: [dropsWholeParts],
  shardBy: byHost,
}

export const hostReports: TableDefinition = {
  name: "host_reports",
  columns: hostReportColumns,
  engine: { family: "Replacing" },
  partitionBy: "toDate(at)",
  orderBy: "(host_id, at, instance)",
  settings: [dropsWholeParts],
  shardBy: byHost,
}

export const metrics: TableDefinition = {
  name: "metrics",
  columns: metricColumns,
  engine: { family: "" },
  partitionBy: "toDate(at)",
  orderBy: "(name, source, at)",
  settings: [dropsWholeParts],
  isDeduplicated: true,
  shardBy: "cityHash64(source)",
}

/** What each program of each host opened, by hour. */
export const outboundHourly: TableDefinition = {
  name: "outbound_hourly",
  columns: outboundHourlyColumns,
  engine: { family: "Aggregating" },
  partitionBy: "toYYYYMM(hour)",
  orderBy: "(hour, host_id, container_id, uid, exe, outside, host_name)",
  settings: [dropsWholeParts],
  isDeduplicated: true,
  shardBy: byHost,
}

/** Which migrations were carried out. */
export const ledger: TableDefinition = {
  name: "schema_migrations",
  columns: [
    ["version", "UInt32"],
    ["name", "String"],
    ["applied_at", "DateTime64(3, 'UTC') DEFAULT now64(3)"],
  ],
  engine: { family: "" },
  orderBy: "version",
  shardBy: "version",
}

/** Every table that this release reads or writes. */
export const tables: readonly TableDefinition[] = [
  connections,
  findings,
  incidents,
  couplings,
  hostReports,
  metrics,
  outboundHourly,
  ledger,
]

/** Every view that this release reads, or that fills a table. */
export const views = ["connections_current", "findings_current", "incidents_current", "outbound_hourly_rows"] as const
