import type { ConnectionKey, CouplingPointJson } from "../documents/coupling-point.js"
import type { FindingJson, IncidentJson } from "../documents/finding-json.js"
import type { Microseconds } from "../domain/identity.js"
import type { Severity } from "../domain/finding.js"
import type { AlertStatus, AnalyzerStatus } from "../telemetry/status.js"

/** What the page asks of the store, for what is no longer in memory. Every question rejects while it does not answer. */
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

/** What the page shows, and where it gets it. */
export interface WebPorts {
  readonly analyzer: () => AnalyzerStatus
  readonly queries: PageQueries
  readonly alerts: () => readonly AlertStatus[]
  /** Collectors can connect. */
  readonly isListening: () => boolean
  /** Wall clock, microseconds since the epoch. */
  readonly nowUs: () => Microseconds
}
