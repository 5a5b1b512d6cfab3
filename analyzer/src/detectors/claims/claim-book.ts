import type { Claim } from "../../domain/detector.js"
import type { Microseconds } from "../../domain/identity.js"

interface BookedClaim<Basis> {
  readonly claim: Claim
  /** What the claim rests on, where the detector has to compare with it later. */
  readonly basis: Basis
}

/** The standing claims of one detector by their subjects. */
export class ClaimBook<Basis = void> {
  readonly #bySubject = new Map<string, BookedClaim<Basis>>()

  get(subject: string): BookedClaim<Basis> | undefined {
    return this.#bySubject.get(subject)
  }

  all(): Iterable<[subject: string, BookedClaim<Basis>]> {
    return this.#bySubject
  }

  /** Takes the place of what was claimed about the same subject. */
  record(claim: Claim, basis: Basis): readonly [Claim] {
    this.#bySubject.set(claim.subject, { claim, basis })
    return [claim]
  }

  /** The end of the claim, with what has changed since it was made; nothing where none stands. */
  end(subject: string, lastSeenUs: Microseconds, changes: Partial<Claim> = {}): readonly Claim[] {
    const booked = this.#bySubject.get(subject)
    this.#bySubject.delete(subject)
    return booked === undefined ? [] : [{ ...booked.claim, ...changes, lastSeenUs, status: "ended" }]
  }

  /** Without an end: what the claim is about is known no longer. */
  forget(subject: string): void {
    this.#bySubject.delete(subject)
  }
}
