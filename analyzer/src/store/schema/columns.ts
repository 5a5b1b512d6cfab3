import { reportedLostKinds } from "../../domain/lost.js"
import type { LostKind } from "../../domain/lost.js"

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
  ...reportedLostKinds.map((kind) => [lossColumn(kind), "UInt64 CODEC(T64, ZSTD(1))"] as const),
] as const

/** `lost_ring_exec`; what was shed or rejected is named as such. */
function lossColumn(kind: LostKind): string {
  const name = kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return /^(shed_|rejected$)/.test(name) ? name : `lost_${name}`
}

/** Columns of `hostReportColumns` that schema version 3 added. */
export const hostReportColumnsOfThree = ["lost_map_group", "lost_walk_descriptor"]

/** What the analyzer itself counts (the names of /metrics), sampled every 15 s. */
export const metricColumns = [
  ["at", "DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))"],
  ["source", "LowCardinality(String)"],
  ["name", "LowCardinality(String)"],
  ["labels", "Map(LowCardinality(String), String)"],
  ["value", "Float64"],
] as const

/** Hourly sums by program; states of distinct values, which do not grow when a row comes again. */
export const outboundHourlyColumns = [
  ["hour", "DateTime('UTC')"],
  ["host_id", "LowCardinality(String)"],
  ["host_name", "LowCardinality(String)"],
  ["container_id", "LowCardinality(String)"],
  ["uid", "UInt32"],
  ["exe", "LowCardinality(String)"],
  ["outside", "Bool"],
  ["connections", "AggregateFunction(uniq, LowCardinality(String), UInt64)"],
  ["addresses", "AggregateFunction(uniq, IPv6)"],
  ["endpoints", "AggregateFunction(uniq, IPv6, UInt16)"],
  ["bytes_sent", "SimpleAggregateFunction(sum, UInt64)"],
  ["bytes_received", "SimpleAggregateFunction(sum, UInt64)"],
  ["longest_seconds", "SimpleAggregateFunction(max, UInt32)"],
] as const
