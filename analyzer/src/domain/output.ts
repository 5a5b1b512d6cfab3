import type { Connection, ConnectionUpdate } from "./connection.js"
import type { CouplingPoint } from "./coupling.js"
import type { Finding } from "./finding.js"
import type { HostFacts, Microseconds } from "./identity.js"
import type { Incident } from "./incident.js"
import type { Lost } from "./lost.js"

/** A connection as it stood after a batch that changed it. At most one row of a connection has reason "closed". */
export interface ConnectionRow {
  readonly reason: ConnectionUpdate["reason"]
  readonly connection: Connection
  /** Of the owner when the row was made; undefined when the owner is not known. */
  readonly process: RowProcess | undefined
  /** The remote end is outside, by the networks of the configuration. */
  readonly outside: boolean
}

export interface RowProcess {
  readonly pid: number
  readonly startNs: string
  readonly exe: string
  readonly comm: string
  readonly argv: readonly string[]
  readonly uid: number
  readonly containerId: string
}

/** How the pipeline of one host stands at a moment of event time; what the collector lost stands beside it in the output. */
export interface HostReport {
  readonly atUs: Microseconds
  readonly liveConnections: number
  readonly processes: number
  /** What was forgotten for lack of room or came late, of all kinds, so far: see domain/evicted.ts. */
  readonly evicted: number
}

/** What one batch of one host gave. */
export interface Output {
  readonly host: HostFacts
  readonly seq: number
  /** `batchToken` of host and seq: two outputs with one token are the same batch sent twice. */
  readonly token: string
  readonly lost: Lost
  readonly connections: readonly ConnectionRow[]
  readonly findings: readonly Finding[]
  readonly incidents: readonly Incident[]
  /** Points of the curves behind findings. */
  readonly couplings: readonly CouplingPoint[]
  /** From time to time. */
  readonly report: HostReport | undefined
}
