import type { Microseconds, ProcessKey } from "./identity.js"

/** A relay that the collector opened because the analyzer wants to know whether it would find one on that host. */
export interface Proof {
  /** 16 hex digits. The sizes of the relay's turns follow from it, so that nobody else can have opened it. */
  readonly nonce: string
  /** Holds both ends of the relay; undefined when none was opened. */
  readonly process: ProcessKey | undefined
  readonly startedUs: Microseconds
  /** Why no relay could be opened; empty otherwise. */
  readonly failure: string
}
