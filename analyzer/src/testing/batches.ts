import type { Batch } from "../domain/batch.js"
import { nothingLost } from "../domain/lost.js"
import { startUs } from "./time.js"

/** The batch with this number, five of them a second from `startUs` on. */
export function aBatch(seq: number, changes: Partial<Batch> = {}): Batch {
  return {
    seq,
    snapshot: false,
    more: false,
    observedUs: startUs + seq * 200_000,
    lost: nothingLost,
    processes: [],
    connections: [],
    edges: [],
    attachments: [],
    overloads: [],
    proofs: [],
    tunnelUses: [],
    tunnelForwards: [],
    unfollowed: [],
    exited: [],
    ...changes,
  }
}
