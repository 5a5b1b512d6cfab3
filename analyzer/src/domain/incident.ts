import type { Severity } from "./severity.js"
import type { Microseconds } from "./identity.js"

/** Findings on one identity of one host, joined: what a person works on. */
export interface Incident {
  /** UUIDv5 of host and identity and first finding: stable over versions and replays. */
  readonly id: string
  readonly version: number
  readonly status: "open" | "closed"
  readonly severity: Severity
  /** Strength of the whole, 0..1. */
  readonly score: number
  readonly host: { readonly id: string; readonly name: string }
  /** Workload (container or cgroup), user and executable, as text. */
  readonly identity: string
  readonly firstSeenUs: Microseconds
  readonly lastSeenUs: Microseconds
  readonly summary: string
  /** Ids of the findings, in the order in which they joined. */
  readonly findings: readonly string[]
  readonly timeline: readonly { readonly atUs: Microseconds; readonly finding: string; readonly text: string }[]
}
