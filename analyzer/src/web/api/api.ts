import type { FindingDetail, IncidentDetail, IncidentList } from "@backflow/page/contract"
import type { CouplingPointJson, FindingJson, IncidentJson } from "../../documents/finding-json.js"
import type { Severity } from "../../domain/severity.js"
import type { ConnectionKey } from "../../domain/identity.js"
import type { LiveFindings } from "../live/live-findings.js"
import { curvesOf } from "../live/curves.js"
import { drivers, outboundSorts } from "./outbound.js"
import type { LiveOutbound, OutboundQuery } from "./outbound.js"
import type { Overviews } from "./overview.js"
import { policyRules } from "./policy-rules.js"
import { byGravity, findingSummary, incidentSummary } from "./summaries.js"

/** Rows of one response at most, and without `limit`. */
const maxRows = 1_000
const usualRows = 100
/** Closed incidents of earlier runs that are looked through, the newest. */
const maxStored = 2_000
/** Findings of one incident that are shown; the rest is in its time line. */
const maxFindings = 200
const maxSearchCharacters = 200

export type ApiResponse =
  { readonly status: 200; readonly body: unknown } | { readonly status: 400 | 404 | 503; readonly error: string }

/** The store's part of the page: what is no longer in memory. Each rejects while the store does not respond. */
export interface PageQueries {
  finding(id: string): Promise<FindingJson | undefined>
  incident(id: string): Promise<IncidentJson | undefined>
  incidentOf(findingId: string): Promise<IncidentJson | undefined>
  coupling(connection: ConnectionKey): Promise<readonly CouplingPointJson[]>
  openIncidents(limit: number): Promise<readonly IncidentJson[]>
  openFindings(limit: number): Promise<readonly FindingJson[]>
  /** Newest first. */
  incidents(filter: { readonly limit: number; readonly severity?: Severity }): Promise<readonly IncidentJson[]>
}

export interface ApiParts {
  readonly live: LiveFindings
  readonly queries: PageQueries
  readonly overviews: Overviews
  readonly outbound: LiveOutbound
}

const statuses = ["open", "closed", "all"] as const
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What the page reads: from memory where that has it, else from the store. */
export class Api {
  readonly #parts: ApiParts

  constructor(parts: ApiParts) {
    this.#parts = parts
  }

  /** The response to a GET below /api/. Undefined for a path that is not there. */
  async respond(path: string, params: URLSearchParams): Promise<ApiResponse | undefined> {
    const [list, id, ...more] = path.split("/").slice(1)
    if (more.length > 0) return undefined
    if (id === undefined) {
      if (list === "overview") return { status: 200, body: this.#parts.overviews.now() }
      if (list === "outbound") return this.#outbound(params)
      return list === "incidents" ? orUnavailable(this.#incidents(params)) : undefined
    }
    if (list !== "incidents" && list !== "findings") return undefined
    if (!uuid.test(id)) return { status: 404, error: "There is no incident or finding with this id." }
    return orUnavailable(list === "incidents" ? this.#incident(id) : this.#finding(id))
  }

  async #incidents(params: URLSearchParams): Promise<ApiResponse> {
    const status = oneOf(statuses, params.get("status") ?? "open")
    const limit = limitOf(params)
    if (status === undefined || limit === undefined) return badRequest(usages.incidents)
    const { live, queries } = this.#parts
    const known = new Map<string, IncidentJson>()
    const stored = status === "open" ? [] : await queries.incidents({ limit: maxStored })
    for (const one of stored) if (one.status === "closed") known.set(one.id, one)
    for (const one of live.incidents("closed")) known.set(one.id, one)
    for (const one of live.incidents("open")) known.set(one.id, one)
    const matching = [...known.values()].filter((one) => status === "all" || one.status === status).sort(byGravity)
    const body: IncidentList = { total: matching.length, incidents: matching.slice(0, limit).map(incidentSummary) }
    return { status: 200, body }
  }

  async #incident(id: string): Promise<ApiResponse> {
    const { live, queries } = this.#parts
    const incident = live.incident(id) ?? (await queries.incident(id))
    if (incident === undefined) return { status: 404, error: "There is no incident with this id." }
    const findings = await Promise.all(
      incident.findings.slice(0, maxFindings).map(async (finding) => live.finding(finding) ?? queries.finding(finding)),
    )
    const body: IncidentDetail = {
      ...incidentSummary(incident),
      findings: findings.flatMap((finding) => (finding === undefined ? [] : [findingSummary(finding)])),
      timeline: incident.timeline,
    }
    return { status: 200, body }
  }

  async #finding(id: string): Promise<ApiResponse> {
    const { live, queries } = this.#parts
    const finding = live.finding(id) ?? (await queries.finding(id))
    if (finding === undefined) return { status: 404, error: "There is no finding with this id." }
    const incident = live.incidentOf(id) ?? (await queries.incidentOf(id))
    const body: FindingDetail = {
      finding,
      incident: incident === undefined ? null : { id: incident.id, summary: incident.summary },
      coupling: await this.#coupling(finding),
      policy: policyRules(finding) ?? null,
    }
    return { status: 200, body }
  }

  async #coupling({ host, connection }: FindingJson): Promise<FindingDetail["coupling"]> {
    if (connection === null) return []
    const where = { hostId: host.id, bootId: host.boot_id, cookie: connection.cookie }
    const stored = await this.#parts.queries.coupling(where)
    return curvesOf([...stored, ...this.#parts.live.curves.of(where.hostId, where.bootId, where.cookie)])
  }

  #outbound(params: URLSearchParams): ApiResponse {
    const sort = oneOf(outboundSorts, params.get("sort") ?? "age")
    const driver = oneOf([...drivers, "all"] as const, params.get("driver") ?? "all")
    const limit = limitOf(params)
    const search = params.get("search") ?? ""
    if (sort === undefined || driver === undefined || limit === undefined || search.length > maxSearchCharacters)
      return badRequest(usages.outbound)
    const query: OutboundQuery = { sort, driver, search, limit }
    return { status: 200, body: this.#parts.outbound.query(query) }
  }
}

/** The store's failure is an error of its own: what is in memory would look like all there is. */
async function orUnavailable(response: Promise<ApiResponse>): Promise<ApiResponse> {
  try {
    return await response
  } catch {
    return { status: 503, error: "The store is unreachable; the analyzer's log says why. Retry in a moment." }
  }
}

/** What each list takes. */
const usages = {
  incidents: "status is open, closed or all; limit is 1 to 1000",
  outbound:
    "sort is age, bytes or recent; driver is remote, local, unclear or all; limit is 1 to 1000; " +
    "search has up to 200 characters",
} as const

const badRequest = (usage: string): ApiResponse => ({ status: 400, error: `Invalid parameters: ${usage}.` })

function oneOf<const T extends string>(names: readonly T[], text: string): T | undefined {
  return names.find((name) => name === text)
}

function limitOf(params: URLSearchParams): number | undefined {
  const limit = Number(params.get("limit") ?? usualRows)
  return Number.isInteger(limit) && limit >= 1 && limit <= maxRows ? limit : undefined
}
