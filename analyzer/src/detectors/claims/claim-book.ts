import type { Claim } from "../../domain/detector.js"
import type { Microseconds } from "../../domain/identity.js"

interface Entry<Basis> {
  readonly claim: Claim
  /** What the claim rests on, where the detector has to compare with it later. */
  readonly basis: Basis
}

/** The standing claims of one detector by their subjects. */
export class ClaimBook<Basis = void> {
  readonly #entries = new Map<string, Entry<Basis>>()

  get(subject: string): Entry<Basis> | undefined {
    return this.#entries.get(subject)
  }

  entries(): Iterable<[subject: string, Entry<Basis>]> {
    return this.#entries
  }

  /** Takes the place of what was claimed about the same subject. */
  record(claim: Claim, basis: Basis): readonly [Claim] {
    this.#entries.set(claim.subject, { claim, basis })
    return [claim]
  }

  /** The end of the claim, with what has changed since it was made; nothing where none stands. */
  end(subject: string, lastSeenUs: Microseconds, changes: Partial<Claim> = {}): readonly Claim[] {
    const entry = this.#entries.get(subject)
    this.#entries.delete(subject)
    return entry === undefined ? [] : [{ ...entry.claim, ...changes, lastSeenUs, status: "ended" }]
  }

  /** Without an end: what the claim is about is known no longer. */
  forget(subject: string): void {
    this.#entries.delete(subject)
  }
}
