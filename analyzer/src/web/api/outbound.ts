import type { AgeBand, Driver, Outbound, OutboundConnection } from "@backflow/page/contract"
import type { Connection } from "../../domain/connection.js"
import type { ConnectionKey, Microseconds, ProcessKey } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { endpointText } from "../../text/endpoint.js"
import { formatTime } from "../../text/rfc3339.js"
import { driverOf } from "./driver.js"

export const outboundSorts = ["age", "bytes", "recent"] as const
export const drivers = ["remote", "local", "unclear"] as const

export interface OutboundQuery {
  /** Oldest first, most bytes first, or last moved first. */
  readonly sort: (typeof outboundSorts)[number]
  readonly driver: Driver | "all"
  /** Part of the host, the remote end, the program, its arguments or its container; any case. Empty for all. */
  readonly search: string
  /** Connections to list; those that match count beyond it too. */
  readonly limit: number
}

/** What the live stream shows. */
export const defaultQuery: OutboundQuery = { sort: "age", driver: "all", search: "", limit: 50 }

/** A pass over all live connections serves every watcher for this many milliseconds. */
const passMs = 2_000

/** About 10 MB when full. */
const rememberedAddresses = 100_000

/** Seconds from which each band begins, youngest first. */
const bands: readonly (readonly [label: string, fromSeconds: number])[] = [
  ["under 1 min", 0],
  ["1 to 10 min", 60],
  ["10 to 60 min", 600],
  ["1 to 6 h", 3_600],
  ["6 to 24 h", 21_600],
  ["1 to 7 days", 86_400],
  ["over 7 days", 604_800],
]

interface Row {
  readonly view: View
  readonly connection: Connection
  readonly driver: Driver
}

interface Pass {
  readonly rows: readonly Row[]
  readonly takenMs: number
  readonly nowUs: Microseconds
  /** The default query's, once it was made. */
  default: Outbound | undefined
}

export interface OutboundPorts {
  readonly views: () => Iterable<View>
  /** Id of a finding about the connection. */
  readonly findingOf: (connection: ConnectionKey) => string | undefined
  readonly nowUs: () => Microseconds
  /** Milliseconds of a clock that only rises. */
  readonly monotonicMs: () => number
}

/** Live connections that hosts opened to the outside. Nothing is computed unless somebody asks. */
export class LiveOutbound {
  readonly #ports: OutboundPorts
  /** Networks are of the configuration, the same for all hosts. */
  readonly #outside = new Map<string, boolean>()
  #pass: Pass | undefined

  constructor(ports: OutboundPorts) {
    this.#ports = ports
  }

  get total(): number {
    return this.#current().rows.length
  }

  query(query: OutboundQuery): Outbound {
    const pass = this.#current()
    if (query !== defaultQuery) return this.#select(pass, query)
    return (pass.default ??= this.#select(pass, query))
  }

  #current(): Pass {
    const ms = this.#ports.monotonicMs()
    if (this.#pass !== undefined && ms < this.#pass.takenMs + passMs) return this.#pass
    const rows: Row[] = []
    for (const view of this.#ports.views())
      for (const connection of view.liveConnections())
        if (connection.initiator === "local" && this.#isOutside(connection, view))
          rows.push({ view, connection, driver: driverOf(connection.exchanges) })
    return (this.#pass = { rows, takenMs: ms, nowUs: this.#ports.nowUs(), default: undefined })
  }

  /** Remembers more addresses than the pipeline does: a pass sees all of them, and looking 10,000 up anew takes 80 ms. */
  #isOutside({ remote, route }: Connection, { networks }: View): boolean {
    const key = `${remote.address} ${route}`
    const known = this.#outside.get(key)
    if (known !== undefined) return known
    const isOutside = networks.isOutside(remote.address, route)
    if (this.#outside.size >= rememberedAddresses) this.#outside.clear()
    this.#outside.set(key, isOutside)
    return isOutside
  }

  #select({ rows, nowUs }: Pass, { sort, driver, search, limit }: OutboundQuery): Outbound {
    const ofDriver = driver === "all" ? rows : rows.filter((row) => row.driver === driver)
    const matching = search === "" ? ofDriver : ofDriver.filter(matcher(search))
    return {
      total: rows.length,
      matching: matching.length,
      ages: agesOf(matching, nowUs),
      connections: first(matching, limit, weights[sort]).map((row) => this.#connection(row)),
    }
  }

  #connection({ view, connection, driver }: Row): OutboundConnection {
    const { cookie, protocol, local, remote, openedUs, lastMovedUs, bytesSent, bytesReceived, ssh } = connection
    const process = connection.process === undefined ? undefined : view.process(connection.process)
    const { hostId, bootId, hostName } = view.host
    return {
      host: hostName,
      cookie,
      protocol,
      local: endpointText(local),
      remote: endpointText(remote),
      openedAt: formatTime(openedUs),
      lastMovedAt: formatTime(lastMovedUs),
      bytesSent,
      bytesReceived,
      driver,
      ssh: ssh.localIdent || ssh.remoteIdent,
      pid: process?.pid ?? 0,
      exe: process?.exe ?? "",
      argv: process?.argv ?? [],
      uid: process?.uid ?? 0,
      containerId: process?.containerId ?? "",
      finding: this.#ports.findingOf({ hostId, bootId, cookie }) ?? null,
    }
  }
}

/** What stands first has the largest weight. */
const weights: Readonly<Record<OutboundQuery["sort"], (connection: Connection) => number>> = {
  age: ({ openedUs }) => -openedUs,
  bytes: ({ bytesSent, bytesReceived }) => bytesSent + bytesReceived,
  recent: ({ lastMovedUs }) => lastMovedUs,
}

/** The first rows by weight. Only numbers are sorted in full: of 100,000 rows that takes 10 ms, of objects 100. */
function first(rows: readonly Row[], limit: number, weight: (connection: Connection) => number): readonly Row[] {
  const all = Float64Array.from(rows, ({ connection }) => weight(connection))
  const minWeight = rows.length <= limit ? Number.NEGATIVE_INFINITY : (all.slice().sort()[rows.length - limit] ?? 0)
  const chosen: { readonly row: Row; readonly weight: number }[] = []
  rows.forEach((row, i) => {
    const own = all[i] ?? 0
    if (own >= minWeight) chosen.push({ row, weight: own })
  })
  return chosen
    .sort((a, b) => b.weight - a.weight || (a.row.connection.cookie < b.row.connection.cookie ? -1 : 1))
    .slice(0, limit)
    .map(({ row }) => row)
}

function agesOf(rows: readonly Row[], nowUs: Microseconds): AgeBand[] {
  const ages = bands.map(([label, fromSeconds]) => ({ label, fromSeconds, remote: 0, local: 0, unclear: 0 }))
  for (const { connection, driver } of rows) {
    const seconds = (nowUs - connection.openedUs) / 1e6
    let i = ages.length - 1
    while (i > 0 && seconds < (ages[i]?.fromSeconds ?? 0)) i -= 1
    const band = ages[i]
    if (band !== undefined) band[driver] += 1
  }
  return ages
}

/** Programs are few next to connections: each is looked at once. */
function matcher(search: string): (row: Row) => boolean {
  const wanted = search.toLowerCase()
  const holds = (text: string) => text.toLowerCase().includes(wanted)
  const known = new Map<View, Map<ProcessKey, boolean>>()
  const isProgram = (view: View, key: ProcessKey): boolean => {
    const programs = known.get(view) ?? new Map<ProcessKey, boolean>()
    known.set(view, programs)
    const seen = programs.get(key)
    if (seen !== undefined) return seen
    const process = view.process(key)
    const found =
      process !== undefined &&
      holds([process.exe, ...process.argv, process.containerId, `pid ${process.pid}`].join(" "))
    programs.set(key, found)
    return found
  }
  return ({ view, connection: { process, remote } }) =>
    holds(endpointText(remote)) || holds(view.host.hostName) || (process !== undefined && isProgram(view, process))
}
