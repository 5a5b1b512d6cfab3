import { setTimeout as delay } from "node:timers/promises"

export const refusalReasons = [
  "no_token",
  "wrong_token",
  "host",
  "origin",
  "method",
  "body",
  "too_many_watchers",
  "slow_watcher",
  "too_many_failures",
] as const
export type RefusalReason = (typeof refusalReasons)[number]

/** A wrong token is answered after so long, and only so many wait for that at once. */
const failureMs = 1_000
const maxWaiting = 16

/** Counts what was refused, and makes guessing slow without making anybody with the token wait. */
export class Refusals {
  readonly #counts = new Map<RefusalReason, number>(refusalReasons.map((reason) => [reason, 0]))
  readonly #failureMs: number
  #waiting = 0

  constructor(delayMs = failureMs) {
    this.#failureMs = delayMs
  }

  get counts(): ReadonlyMap<RefusalReason, number> {
    return this.#counts
  }

  count(reason: RefusalReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }

  /** Resolves when the failure may be answered; false at once when too many others wait for that already. */
  async wrongToken(): Promise<boolean> {
    this.count("wrong_token")
    if (this.#waiting >= maxWaiting) {
      this.count("too_many_failures")
      return false
    }
    this.#waiting += 1
    // A stop does not wait for it.
    await delay(this.#failureMs, undefined, { ref: false })
    this.#waiting -= 1
    return true
  }
}
