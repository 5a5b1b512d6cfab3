import type { CouplingPointJson, FindingJson, IncidentJson } from "../../documents/finding-json.js"
import type { FindingClass } from "../../domain/finding-classes.js"
import type { Severity } from "../../domain/severity.js"
import type { ConnectionKey, Microseconds } from "../../domain/identity.js"
import {
  couplingPoints,
  findingById,
  incidentById,
  incidentOfFinding,
  openFindings,
  openIncidents,
} from "./document-queries.js"
import type { QueryParams, StoreClient } from "../client/store-client.js"

/** Which rows to list, newest first. */
export interface Filter {
  readonly sinceUs?: Microseconds
  /** This severity and above. Findings and incidents only. */
  readonly severity?: Severity
  /** Findings only. */
  readonly class?: FindingClass
  /** Connections that were open when last seen. */
  readonly open?: boolean
  readonly limit: number
}

/** A row of connections_current. 64-bit numbers that may pass 2^53 are decimal text, the cookie 16 hex digits. */
export interface ConnectionJson {
  readonly host: string
  readonly host_id: string
  readonly boot_id: string
  readonly cookie: string
  readonly protocol: string
  readonly initiator: string
  readonly local: string
  readonly local_port: number
  readonly remote: string
  readonly remote_port: number
  readonly opened_at: string
  readonly observed_at: string
  readonly bytes_sent: number
  readonly bytes_received: number
  readonly closed: string
  readonly pid: number
  readonly exe: string
  readonly argv: readonly string[]
  readonly uid: number
  readonly container_id: string
}

/** The lists of a store, running or not. */
export interface Listed {
  findings(filter: Filter): Promise<FindingJson[]>
  incidents(filter: Filter): Promise<IncidentJson[]>
  connections(filter: Filter): Promise<ConnectionJson[]>
}

/** Every read-only question. */
export interface Queried extends Listed {
  /** The newest version; undefined when there is none. */
  finding(id: string): Promise<FindingJson | undefined>
  /** The newest version; undefined when there is none. */
  incident(id: string): Promise<IncidentJson | undefined>
  /** The incident that contains a finding, in its newest version. */
  incidentOf(findingId: string): Promise<IncidentJson | undefined>
  /** By channel and time, at most 5,000 points a channel. */
  coupling(connection: ConnectionKey): Promise<CouplingPointJson[]>
  /** Newest versions, the last seen first. */
  openIncidents(limit: number): Promise<IncidentJson[]>
  /** Newest versions of what is not closed, the last decided first. */
  openFindings(limit: number): Promise<FindingJson[]>
}

interface Document {
  readonly document: string
}

const rfc3339 = (column: string) => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S.%f000Z', 'UTC')`
/** v4-mapped addresses without their prefix, as everywhere outside the store. */
const addressText = (column: string) => `replaceRegexpOne(toString(${column}), '^::ffff:(\\\\d+\\\\.)', '\\\\1')`

export class Queries implements Queried {
  readonly #client: StoreClient

  constructor(client: StoreClient) {
    this.#client = client
  }

  async findings(filter: Filter): Promise<FindingJson[]> {
    const { where, params } = conditions(filter, "last_seen", {
      severity: filter.severity === undefined ? "" : "severity >= {severity:String}",
      class: filter.class === undefined ? "" : "class = {class:String}",
    })
    const rows = await this.#client.rows<Document>(
      `SELECT document FROM findings_current WHERE ${where} ORDER BY detected_at DESC, id LIMIT {limit:UInt32}`,
      params,
    )
    return rows.map(({ document }) => JSON.parse(document) as FindingJson)
  }

  async incidents(filter: Filter): Promise<IncidentJson[]> {
    const { where, params } = conditions(filter, "last_seen", {
      severity: filter.severity === undefined ? "" : "severity >= {severity:String}",
    })
    const rows = await this.#client.rows<Document>(
      `SELECT document FROM incidents_current WHERE ${where} ORDER BY last_seen DESC, id LIMIT {limit:UInt32}`,
      params,
    )
    return rows.map(({ document }) => JSON.parse(document) as IncidentJson)
  }

  /** Looks back no further than the rows that are wanted: the whole table may hold hundreds of millions of records. */
  async connections(filter: Filter): Promise<ConnectionJson[]> {
    const [latest] = await this.#client.rows<{ at: string }>(
      "SELECT toUnixTimestamp64Micro(max(batch_at)) AS at FROM connections",
    )
    const fromUs = filter.sinceUs ?? 0
    for (const windowUs of lookBackUs) {
      const sinceUs = Math.max(fromUs, Number(latest?.at ?? 0) - windowUs)
      const rows = await this.#connectionsSince({ ...filter, sinceUs })
      if (rows.length >= filter.limit || sinceUs === fromUs) return rows
    }
    return this.#connectionsSince(filter)
  }

  finding(id: string): Promise<FindingJson | undefined> {
    return findingById(this.#client, id)
  }

  incident(id: string): Promise<IncidentJson | undefined> {
    return incidentById(this.#client, id)
  }

  incidentOf(findingId: string): Promise<IncidentJson | undefined> {
    return incidentOfFinding(this.#client, findingId)
  }

  coupling(connection: ConnectionKey): Promise<CouplingPointJson[]> {
    return couplingPoints(this.#client, connection)
  }

  openIncidents(limit: number): Promise<IncidentJson[]> {
    return openIncidents(this.#client, limit)
  }

  openFindings(limit: number): Promise<FindingJson[]> {
    return openFindings(this.#client, limit)
  }

  /** GLOBAL: run once over all shards of a cluster, and not by each shard of all. */
  #connectionsSince(filter: Filter): Promise<ConnectionJson[]> {
    const { where, params } = conditions(filter, "batch_at", {})
    const key = "host_id, boot_id, cookie"
    return this.#client.rows<ConnectionJson>(
      `SELECT host_name AS host, host_id, boot_id, lower(leftPad(hex(current.cookie), 16, '0')) AS cookie, protocol, initiator,
         ${addressText("local_address")} AS local, local_port, ${addressText("remote_address")} AS remote, remote_port,
         ${rfc3339("opened_at")} AS opened_at, ${rfc3339("observed_at")} AS observed_at,
         toFloat64(bytes_sent) AS bytes_sent, toFloat64(bytes_received) AS bytes_received, closed, pid, exe, argv, uid, container_id
       FROM connections_current AS current
       WHERE (current.host_id, current.boot_id, current.cookie) GLOBAL IN (
         SELECT ${key} FROM connections WHERE ${where} GROUP BY ${key}
         HAVING ${filter.open === true ? "max(closed) = 'open'" : "1"} AND max(observed_at) >= fromUnixTimestamp64Micro({observed:Int64})
         ORDER BY max(observed_at) DESC, cookie LIMIT {limit:UInt32}
       )
       ORDER BY current.observed_at DESC, current.cookie`,
      { ...params, observed: String(Math.max(0, filter.sinceUs ?? 0)) },
    )
  }
}

/** One hour, then one day before the latest record, in microseconds. */
const lookBackUs = [3_600_000_000, 86_400_000_000]

function conditions(filter: Filter, timeColumn: string, extra: Readonly<Record<string, string>>) {
  const params: Record<string, QueryParams[string]> = { limit: filter.limit }
  const parts = Object.values(extra).filter((part) => part !== "")
  if (filter.severity !== undefined) params["severity"] = filter.severity
  if (filter.class !== undefined) params["class"] = filter.class
  if (filter.sinceUs !== undefined) {
    params["since"] = String(Math.max(0, Math.trunc(filter.sinceUs)))
    parts.push(`${timeColumn} >= fromUnixTimestamp64Micro({since:Int64})`)
  }
  return { where: parts.length === 0 ? "1" : parts.join(" AND "), params }
}
