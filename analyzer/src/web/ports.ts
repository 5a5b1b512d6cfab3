import type { Lost } from "../domain/batch.js"
import type { Microseconds } from "../domain/identity.js"
import type { Severity } from "../domain/finding.js"
import type { View } from "../domain/view.js"
import type { FindingJson, IncidentJson } from "../documents/finding-json.js"

/** How the analyzer stands, as far as the page and /metrics tell it. AnalyzerCounts of main.ts is one. */
export interface AnalyzerState {
  /** Collectors connected now. */
  readonly streams: number
  /** What waits to be analysed. */
  readonly intake: { readonly messages: number; readonly bytes: number }
  /** Running counts by reason. */
  readonly rejected: readonly (readonly [reason: string, count: number])[]
  readonly sessions: readonly SessionState[]
  readonly hosts: readonly HostOfView[]
  readonly deliveries: readonly { readonly sink: string; readonly counts: DeliveryState }[]
}

export interface SessionState {
  readonly host: string
  readonly hostId: string
  readonly bootId: string
  readonly connected: boolean
  /** Totals of this run of the collector; undefined before the first batch. */
  readonly counts: { readonly missing: number; readonly lost: Lost | undefined }
}

export interface HostOfView {
  /** Valid until the next turn of the event loop. */
  readonly view: View
  /** By the analyzer's clock. */
  readonly heardUs: Microseconds
  readonly counts: { readonly liveConnections: number }
}

export interface DeliveryState {
  readonly written: number
  readonly failures: number
  readonly shed: number
  readonly waiting: number
}

/** A way out for alerts that keeps what waits on disk. AlertCounts of alerts/start.ts is one. */
export interface AlertState {
  readonly name: string
  /** How its last attempt went, and what to do where that is not "ok". */
  readonly condition: { readonly state: "ok" | "failing" | "stopped"; readonly text: string }
  readonly depth: number
  readonly bytes: number
  readonly limitBytes: number
  /** Age of the oldest that waits, in seconds; 0 when none does. */
  readonly oldestSeconds: number
  readonly published: number
  readonly errors: number
  /** Given up for lack of room. */
  readonly shed: number
  /** Never accepted by the other side, and put aside. */
  readonly refused: number
  /** Lost on disk, by a crash in the middle of a write or by damage. */
  readonly torn: number
}

export interface CouplingPoint {
  readonly channel: string
  /** Milliseconds since the Unix epoch. */
  readonly at_ms: number
  /** Totals so far, in bytes. */
  readonly forward_in: number
  readonly forward_out: number
  readonly backward_in: number
  readonly backward_out: number
}

export interface ConnectionOfHost {
  readonly hostId: string
  readonly bootId: string
  /** 16 hex digits. */
  readonly cookie: string
}

/** What the page asks of the store, for what is no longer in memory. Every question rejects while it does not answer. */
export interface PageQueries {
  finding(id: string): Promise<FindingJson | undefined>
  incident(id: string): Promise<IncidentJson | undefined>
  incidentOf(findingId: string): Promise<IncidentJson | undefined>
  coupling(connection: ConnectionOfHost): Promise<readonly CouplingPoint[]>
  openIncidents(limit: number): Promise<readonly IncidentJson[]>
  openFindings(limit: number): Promise<readonly FindingJson[]>
  /** Newest first. */
  incidents(filter: { readonly limit: number; readonly severity?: Severity }): Promise<readonly IncidentJson[]>
}

/** What the page is made of. */
export interface WebPorts {
  counts(): AnalyzerState
  readonly queries: PageQueries
  /** Empty where no alerts leave. */
  readonly alerts?: () => readonly AlertState[]
  /** Wall clock, microseconds since the epoch. */
  readonly nowUs: () => Microseconds
}
