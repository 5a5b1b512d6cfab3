import type { Finding } from "../domain/finding.js"
import type { HostFacts, Microseconds } from "../domain/identity.js"
import type { Incident } from "../domain/incident.js"
import type { Output } from "../domain/output.js"
import { connect } from "./client/connect.js"
import type { StoreTarget } from "./client/connect.js"
import { connectionBlock } from "./write/connection-row.js"
import type { StoredConnection } from "./write/connection-row.js"
import { couplingRows, hostReportRows, metricRow } from "./write/report-row.js"
import { findingRow, incidentRow } from "./write/finding-row.js"
import { migrate } from "./schema/migrate.js"
import { applyRetention, dropOldestDays } from "./schema/retention.js"
import type { Retention } from "./schema/retention.js"
import type { MetricSample } from "../telemetry/metrics.js"
import { Queries } from "./read/queries.js"
import type { Queried } from "./read/queries.js"
import {
  connectionColumns,
  couplingColumns,
  findingColumns,
  hostReportColumns,
  incidentColumns,
  metricColumns,
} from "./schema/columns.js"
import type { StatementLimits, StoreClient } from "./client/store-client.js"

export interface StoreOptions {
  readonly target: StoreTarget
  readonly database: string
  readonly limits: StatementLimits
  readonly retention: Retention
}

/** What the durable sink writes, and what it must read to write nothing twice. */
export interface Store {
  readonly queries: Queried
  /** Highest batch of this collector run that is durable among those made at or after `sinceUs`; 0 when none is. */
  durableSeq(host: HostFacts, sinceUs: Microseconds): Promise<number>
  /** Inserted whole or not at all for each day; once for each token. */
  insertConnections(rows: readonly StoredConnection[], token: string): Promise<void>
  /** When the first version of each known finding was decided. */
  firstDetected(ids: readonly string[]): Promise<ReadonlyMap<string, Microseconds>>
  /** The last version of each finding, of those decided last. */
  findingVersions(limit: number): Promise<ReadonlyMap<string, number>>
  /** Idempotent: a version replaces itself. `first` gives the sort key's moment for every finding. */
  insertFindings(findings: readonly Finding[], first: ReadonlyMap<string, Microseconds>, token: string): Promise<void>
  insertIncidents(incidents: readonly Incident[], token: string): Promise<void>
  /** Idempotent: a point replaces itself. */
  insertCouplings(outputs: readonly Output[], token: string): Promise<void>
  /** Idempotent as well. */
  insertHostReports(outputs: readonly Output[], token: string): Promise<void>
  /** What the analyzer counts about itself; one token a sample of all names. */
  insertMetrics(samples: readonly MetricSample[], token: string): Promise<void>
  /** Drops the oldest days of the large tables until they take no more than `bytes` on disk; the days dropped. */
  enforceQuota(bytes: number): Promise<readonly string[]>
  close(): Promise<void>
}

/**
 * How far a host's clock may have been set back between a batch and the one after it, for the later one to be found again
 * after a crash: one day.
 */
const clockStepUs = 86_400_000_000

/** Opens or makes the database and brings its schema up to date. Throws AppError "store-unreachable" or "store-newer". */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { writer, reader } = await connect(options.target, options.database, options.limits)
  try {
    await migrate(writer)
    await applyRetention(writer, options.retention)
  } catch (thrown) {
    await Promise.all([writer.close(), reader.close()])
    throw thrown
  }
  return new ClickHouseStore(writer, reader)
}

const names = (columns: readonly (readonly [string, string])[]) => columns.map(([name]) => name)

class ClickHouseStore implements Store {
  readonly queries: Queried
  readonly #writer: StoreClient
  readonly #reader: StoreClient

  constructor(writer: StoreClient, reader: StoreClient) {
    this.#writer = writer
    this.#reader = reader
    this.queries = new Queries(reader)
  }

  async durableSeq(host: HostFacts, sinceUs: Microseconds): Promise<number> {
    const [row] = await this.#writer.rows<{ seq: string }>(
      `SELECT max(seq) AS seq FROM connections
       WHERE host_id = {host:String} AND instance = {instance:String} AND batch_at >= fromUnixTimestamp64Micro({since:Int64})`,
      { host: host.hostId, instance: host.instance, since: String(Math.max(0, sinceUs - clockStepUs)) },
    )
    return Number(row?.seq ?? 0)
  }

  insertConnections(rows: readonly StoredConnection[], token: string): Promise<void> {
    return this.#writer.insertBlock("connections", names(connectionColumns), connectionBlock(rows), token)
  }

  async firstDetected(ids: readonly string[]): Promise<ReadonlyMap<string, Microseconds>> {
    if (ids.length === 0) return new Map()
    const rows = await this.#writer.rows<{ id: string; first: string }>(
      `SELECT toString(id) AS id, toUnixTimestamp64Micro(min(first_detected_at)) AS first FROM findings
       WHERE id IN (SELECT toUUID(arrayJoin({ids:Array(String)}))) GROUP BY id`,
      { ids },
    )
    return new Map(rows.map(({ id, first }) => [id, Number(first)]))
  }

  async findingVersions(limit: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#writer.rows<{ name: string; newest: number }>(
      `SELECT toString(id) AS name, max(version) AS newest FROM findings
       GROUP BY id ORDER BY max(detected_at) DESC LIMIT {limit:UInt32}`,
      { limit },
    )
    return new Map(rows.map(({ name, newest }) => [name, newest]))
  }

  insertFindings(findings: readonly Finding[], first: ReadonlyMap<string, Microseconds>, token: string): Promise<void> {
    const rows = findings.map((finding) => findingRow(finding, first.get(finding.id) ?? finding.detectedAtUs))
    return this.#writer.insert("findings", names(findingColumns), rows, token)
  }

  insertIncidents(incidents: readonly Incident[], token: string): Promise<void> {
    return this.#writer.insert("incidents", names(incidentColumns), incidents.map(incidentRow), token)
  }

  insertCouplings(outputs: readonly Output[], token: string): Promise<void> {
    return this.#writer.insert("couplings", names(couplingColumns), outputs.flatMap(couplingRows), token)
  }

  insertHostReports(outputs: readonly Output[], token: string): Promise<void> {
    return this.#writer.insert("host_reports", names(hostReportColumns), outputs.flatMap(hostReportRows), token)
  }

  insertMetrics(samples: readonly MetricSample[], token: string): Promise<void> {
    return this.#writer.insert("metrics", names(metricColumns), samples.map(metricRow), token)
  }

  enforceQuota(bytes: number): Promise<readonly string[]> {
    return dropOldestDays(this.#writer, bytes)
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reader.close()])
  }
}
