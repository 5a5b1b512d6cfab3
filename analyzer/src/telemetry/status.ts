/** The state of each part of a running analyzer, given by the part, shown by metrics, page and command line. */
import type { Evicted } from "../domain/evicted.js"
import type { Microseconds } from "../domain/identity.js"
import type { Lost } from "../domain/lost.js"
import type { Severity } from "../domain/severity.js"
import type { ProofStatus } from "../domain/proof.js"
import type { Unfollowed } from "../domain/unfollowed.js"
import type { View } from "../domain/view.js"

export interface AnalyzerStatus {
  /** Collectors connected now. */
  readonly streams: number
  /** What waits to be analysed. */
  readonly intake: { readonly messages: number; readonly bytes: number }
  /** Running counts by reason. */
  readonly rejected: readonly (readonly [reason: string, count: number])[]
  readonly sessions: readonly SessionStatus[]
  readonly hosts: readonly HostStatus[]
  readonly deliveries: readonly { readonly sink: string; readonly counts: DeliveryCounts }[]
}

/** One run of one collector. */
export interface SessionStatus {
  readonly host: string
  readonly hostId: string
  readonly bootId: string
  /** It has a stream now. */
  readonly connected: boolean
  readonly counts: SessionCounts
}

export interface SessionCounts {
  readonly batches: number
  readonly duplicates: number
  /** Sequence numbers that never came: batches that the collector shed. */
  readonly missing: number
  /** Totals of this run of the collector, as it last sent them; undefined before the first batch. */
  readonly lost: Lost | undefined
  /** How far its clock was ahead of this machine's at the last batch, refused or not; 0 when it was not. */
  readonly clockAheadUs: number
  /** What it does not follow. */
  readonly unfollowed: readonly Unfollowed[]
}

/** One boot of one host. */
export interface HostStatus {
  /** What it looks like now: valid until the next turn of the event loop. */
  readonly view: View
  /** When anything was last received from it, by the analyzer's clock. */
  readonly lastReceivedUs: Microseconds
  readonly counts: { readonly liveConnections: number; readonly evicted: Evicted }
  readonly share: HostShare
  readonly proofs: ProofStatus
}

/** How much of the analyzer's time one host takes. */
export interface HostShare {
  /** Processor time that it has cost. */
  readonly costMs: number
  /** How long it waited because others had cost less. */
  readonly delayedMs: number
  /** It takes more than its share: it waits now, or did within the last minute. */
  readonly isDelayed: boolean
}

/** Whether a host is proven to be watched, for people and programs. */
export interface HostProof {
  readonly host: string
  readonly hostId: string
  readonly connected: boolean
  /** RFC 3339; null before the first time in this boot. */
  readonly lastProvenAt: string | null
  /** Why it is not; null while nothing says so. */
  readonly blind: string | null
}

/** Outputs of one sink. */
export interface DeliveryCounts {
  readonly written: number
  readonly failures: number
  readonly shed: number
  readonly waiting: number
}

/** How the last attempt at an alert destination went, and what to do where that is not "ok". */
export interface AlertCondition {
  readonly state: "ok" | "failing" | "stopped"
  /** One sentence for people. */
  readonly text: string
}

/** An alert destination, which keeps what waits on disk. */
export interface AlertStatus {
  /** "kafka", "webhook" or "file". */
  readonly name: string
  readonly condition: AlertCondition
  readonly published: number
  /** Sends that failed and were retried. */
  readonly errors: number
  /** Kept in refused.jsonl, because the destination will not take them. */
  readonly refused: number
  /** Dropped for lack of room in the outbox, by severity. */
  readonly shed: Readonly<Record<Severity, number>>
  /** Versions that did not leave because a graver, newer one of their finding had left before. */
  readonly superseded: number
  /** Findings that left in the sum of their identity's minute only. */
  readonly limited: number
  /** Lost on disk, by a crash in the middle of a write or by damage. */
  readonly torn: number
  readonly depth: number
  readonly bytes: number
  readonly limitBytes: number
  /** Age of the oldest alert that waits, in seconds; 0 when none does. */
  readonly oldestSeconds: number
}
