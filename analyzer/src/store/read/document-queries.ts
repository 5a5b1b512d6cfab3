import type { ConnectionKey } from "../../domain/identity.js"
import type { CouplingPointJson, FindingJson, IncidentJson } from "../../documents/finding-json.js"
import type { StoreClient } from "../client/store-client.js"
import { cookieNumber } from "../schema/values.js"

/** Points of one curve at most: twice what a screen is wide. */
const maxPoints = 5_000

interface Document {
  readonly document: string
}

/** The newest version of one finding; undefined for what is none, and for what is no UUID. */
export async function findingById(client: StoreClient, id: string): Promise<FindingJson | undefined> {
  const [row] = await client.rows<Document>(
    `SELECT document FROM findings WHERE id = toUUIDOrZero({id:String})
     ORDER BY detected_at DESC, version DESC LIMIT 1`,
    { id },
  )
  return row === undefined ? undefined : (JSON.parse(row.document) as FindingJson)
}

export async function incidentById(client: StoreClient, id: string): Promise<IncidentJson | undefined> {
  const [row] = await client.rows<Document>(
    `SELECT document FROM incidents WHERE id = toUUIDOrZero({id:String}) ORDER BY last_seen DESC, version DESC LIMIT 1`,
    { id },
  )
  return row === undefined ? undefined : (JSON.parse(row.document) as IncidentJson)
}

/** The incident whose newest version contains the finding; of several, the one seen last. */
export async function incidentOfFinding(client: StoreClient, findingId: string): Promise<IncidentJson | undefined> {
  const [row] = await client.rows<Document>(
    `SELECT document FROM incidents_current WHERE has(findings, toUUIDOrZero({id:String}))
     ORDER BY last_seen DESC, id LIMIT 1`,
    { id: findingId },
  )
  return row === undefined ? undefined : (JSON.parse(row.document) as IncidentJson)
}

/** Newest versions with status "open", the last seen first. */
export async function openIncidents(client: StoreClient, limit: number): Promise<IncidentJson[]> {
  const rows = await client.rows<Document>(
    "SELECT document FROM incidents_current WHERE status = 'open' ORDER BY last_seen DESC, id LIMIT {limit:UInt32}",
    { limit },
  )
  return rows.map(({ document }) => JSON.parse(document) as IncidentJson)
}

/** Newest versions of findings that are not closed, those that policy expects or suppresses too, the last decided first. */
export async function openFindings(client: StoreClient, limit: number): Promise<FindingJson[]> {
  const rows = await client.rows<Document>(
    "SELECT document FROM findings_current WHERE status != 'closed' ORDER BY detected_at DESC, id LIMIT {limit:UInt32}",
    { limit },
  )
  return rows.map(({ document }) => JSON.parse(document) as FindingJson)
}

/**
 * The curves of one connection, by channel and time. A point that was written twice comes once; of a longer curve every
 * n-th point comes, and always the last one, which has the totals.
 */
export function couplingPoints(
  client: StoreClient,
  { hostId, bootId, cookie }: ConnectionKey,
  max: number = maxPoints,
): Promise<CouplingPointJson[]> {
  const bytes = ["forward_in", "forward_out", "backward_in", "backward_out"]
  return client.rows<CouplingPointJson>(
    `SELECT channel, toFloat64(toUnixTimestamp64Milli(at)) AS at_ms, ${bytes.map((name) => `toFloat64(${name}) AS ${name}`).join(", ")}
     FROM (
       SELECT channel, at, edge_group, ${bytes.join(", ")},
         row_number() OVER (PARTITION BY channel ORDER BY at DESC, edge_group DESC) AS place,
         count() OVER (PARTITION BY channel) AS points
       FROM (
         SELECT channel, at, edge_group, ${bytes.map((name) => `max(c.${name}) AS ${name}`).join(", ")} FROM couplings AS c
         WHERE host_id = {host:String} AND boot_id = {boot:String} AND cookie = {cookie:UInt64}
         GROUP BY channel, at, edge_group
       )
     )
     WHERE (place - 1) % toUInt64(ceil(points / {max:UInt32})) = 0
     ORDER BY channel, at, edge_group`,
    { host: hostId, boot: bootId, cookie: cookieNumber(cookie), max },
  )
}
