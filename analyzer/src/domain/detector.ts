import type { Connection, ConnectionUpdate } from "./connection.js"
import type { Attachment, CouplingEdge } from "./coupling.js"
import type { Evidence } from "./finding.js"
import type { FindingClass } from "./finding-classes.js"
import type { Microseconds, ProcessFacts, ProcessKey } from "./identity.js"
import type { Lost } from "./lost.js"
import type { Overload } from "./overload.js"
import type { Proof } from "./proof.js"
import type { TunnelForward, TunnelUse } from "./tunnel-use.js"
import type { View } from "./view.js"

/** One step of the tracked state. The view already shows it; `previous` is what was known before. */
export type Change =
  | {
      readonly kind: "connection"
      readonly update: ConnectionUpdate
      readonly connection: Connection
      readonly previous: Connection | undefined
    }
  | { readonly kind: "edge"; readonly edge: CouplingEdge; readonly previous: CouplingEdge | undefined }
  /** The view has it no longer: silent for long, given up for lack of room, or of an earlier run of the collector. */
  | { readonly kind: "edge-gone"; readonly edge: CouplingEdge }
  | { readonly kind: "attachment"; readonly attachment: Attachment; readonly previous: Attachment | undefined }
  /** Services of this host were reached through a tun or tap device. */
  | { readonly kind: "tunnel-use"; readonly used: TunnelUse }
  /** Other machines were reached through one by way of this host. */
  | { readonly kind: "tunnel-forward"; readonly forward: TunnelForward }
  | { readonly kind: "overload"; readonly overload: Overload }
  /** What was lost on the way, and given up by the tracker for want of room, since the last batch. */
  | { readonly kind: "lost"; readonly lost: Lost; readonly evicted: number }
  | { readonly kind: "proof"; readonly proof: Proof }
  | { readonly kind: "process"; readonly facts: ProcessFacts; readonly previous: ProcessFacts | undefined }
  | { readonly kind: "exit"; readonly process: ProcessKey; readonly facts: ProcessFacts | undefined }

/** What a detector says about one subject now. Repeating a subject updates the one finding it has. */
export interface Claim {
  readonly class: FindingClass
  readonly detector: string
  /** Stable text, unique for the detector within one boot of the host. */
  readonly subject: string
  /** Strength, 0..1. */
  readonly score: number
  /** How sure, 0..1. */
  readonly confidence: number
  readonly firstSeenUs: Microseconds
  readonly lastSeenUs: Microseconds
  readonly process: ProcessKey | undefined
  /** The process as it was when it did what is claimed, where it may run another program by now. */
  readonly facts?: ProcessFacts
  /** The connection to the outside that the claim is about; empty when there is none yet. */
  readonly cookie: string
  /** One sentence for the person on call, without severity and without policy. */
  readonly summary: string
  readonly evidence: readonly [Evidence, ...Evidence[]]
  /** MITRE ATT&CK technique ids. */
  readonly attack: readonly string[]
  readonly status: "active" | "ended"
  /** What it is about was opened because the analyzer asked for it: recorded, and no more. */
  readonly isProof?: boolean
}

/** State of its own, no input but these calls: the same calls give the same claims. */
export interface Detector {
  readonly name: string
  /** Claims that it forgot for want of room, so far. */
  evictedClaims?(): number
  observe(change: Change, view: View): readonly Claim[]
  /** Called once after the changes of each batch: for what is judged by all of them together. */
  settle?(view: View): readonly Claim[]
  /** Called as event time moves on, at most every 100 ms of it. */
  tick(nowUs: Microseconds, view: View): readonly Claim[]
}
