import type { Microseconds } from "./identity.js"

/** How the line of one host stands at a moment of event time; what the collector lost stands beside it in the output. */
export interface HostReport {
  readonly atUs: Microseconds
  readonly liveConnections: number
  readonly processes: number
  /** Connections, processes and couplings that were forgotten for lack of room, so far. */
  readonly evicted: number
}
