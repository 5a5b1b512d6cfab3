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

/** What became of a relay: found in time, found too late, not found, or never opened. */
export type ProofOutcome = "found" | "late" | "missed" | "failed"

/** What is known of whether a host would show a way in. */
export interface ProofStatus {
  /** Event time at which a relay last came back as a finding in time; undefined before the first in this boot. */
  readonly lastProvenUs: Microseconds | undefined
  /** The relay that was decided last. */
  readonly last: DecidedProof | undefined
  /** Since when, and why, the host counts as blind; undefined while it does not. */
  readonly blind: { readonly sinceUs: Microseconds; readonly reason: string } | undefined
}

export interface DecidedProof {
  readonly nonce: string
  readonly outcome: ProofOutcome
  /** From the relay's start until it was found or given up. */
  readonly tookUs: Microseconds
  /** One sentence part for people: "the relay was found after 0.21 s". */
  readonly text: string
}
