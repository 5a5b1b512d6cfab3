import type { ConnectionUpdate } from "./connection.js"
import type { Attachment, CouplingEdge } from "./coupling.js"
import type { Lost } from "./lost.js"
import type { Overload } from "./overload.js"
import type { Proof } from "./proof.js"
import type { TunnelForward, TunnelUse } from "./tunnel-use.js"
import type { Unfollowed } from "./unfollowed.js"
import type { Microseconds, ProcessFacts, ProcessKey } from "./identity.js"

/** One decoded batch of one host. `observedUs` is event time: nothing after decode asks a clock. */
export interface Batch {
  readonly seq: number
  /** Part of everything that lives; what no part names until one without `more` is gone. */
  readonly snapshot: boolean
  readonly more: boolean
  readonly observedUs: Microseconds
  readonly lost: Lost
  readonly processes: readonly ProcessFacts[]
  readonly connections: readonly ConnectionUpdate[]
  readonly edges: readonly CouplingEdge[]
  readonly attachments: readonly Attachment[]
  readonly overloads: readonly Overload[]
  readonly proofs: readonly Proof[]
  readonly tunnelUses: readonly TunnelUse[]
  readonly tunnelForwards: readonly TunnelForward[]
  readonly unfollowed: readonly Unfollowed[]
  readonly exited: readonly ProcessKey[]
}
