import type { Claim } from "../../domain/detector.js"
import { accountOf } from "../../domain/identity.js"
import type { Microseconds } from "../../domain/identity.js"
import { Portions } from "../../domain/portions.js"
import type { View } from "../../domain/view.js"

interface BookedClaim<Basis> {
  readonly claim: Claim
  /** What the claim rests on, where the detector has to compare with it later. */
  readonly basis: Basis
  /** Who answers for it. */
  readonly account: string
}

/** Standing claims of one detector on one host, some 3 kB each. */
const defaultMaxClaims = 20_000

/** The standing claims of one detector by their subjects. Past a bound, the account that has most loses its oldest. */
export class ClaimBook<Basis = void> {
  readonly #max: number
  readonly #bySubject = new Map<string, BookedClaim<Basis>>()
  readonly #portions = new Portions<string>()
  #evicted = 0

  constructor(max = defaultMaxClaims) {
    this.#max = max
  }

  /** Claims that were forgotten for want of room, so far: their findings stay as they are. */
  get evicted(): number {
    return this.#evicted
  }

  get(subject: string): BookedClaim<Basis> | undefined {
    return this.#bySubject.get(subject)
  }

  all(): Iterable<[subject: string, BookedClaim<Basis>]> {
    return this.#bySubject
  }

  /** Takes the place of what was claimed about the same subject. Without a view each process answers for itself. */
  record(claim: Claim, basis: Basis, view?: View): readonly [Claim] {
    const { subject, process } = claim
    const known = this.#bySubject.get(subject)
    if (known === undefined && this.#bySubject.size >= this.#max) this.#evictOne()
    const facts = process === undefined ? undefined : view?.process(process)
    const account = known?.account ?? (facts === undefined ? `process ${process ?? "unknown"}` : accountOf(facts))
    this.#bySubject.set(subject, { claim, basis, account })
    if (known === undefined) this.#portions.add(account, subject)
    return [claim]
  }

  /** The end of the claim, with what has changed since it was made; nothing where none stands. */
  end(subject: string, lastSeenUs: Microseconds, changes: Partial<Claim> = {}): readonly Claim[] {
    const booked = this.#bySubject.get(subject)
    this.forget(subject)
    return booked === undefined ? [] : [{ ...booked.claim, ...changes, lastSeenUs, status: "ended" }]
  }

  /** Without an end: what the claim is about is known no longer. */
  forget(subject: string): void {
    const booked = this.#bySubject.get(subject)
    if (booked === undefined) return
    this.#bySubject.delete(subject)
    this.#portions.delete(booked.account, subject)
  }

  #evictOne(): void {
    for (const subject of this.#portions.keys(this.#portions.largest() ?? "")) {
      this.forget(subject)
      this.#evicted += 1
      return
    }
  }
}
