import type { Microseconds } from "./identity.js"

export interface RateLimits {
  /** Microseconds of event time after which all begin anew. */
  readonly windowUs: Microseconds
  readonly perWindow: number
}

/** Accounts that are told apart in one window; those that come later share what one has. */
const accounts = 64

/** What one account may take of a window, and what is left for each that comes when the others have taken all. */
const shares = { max: 1 / 2, min: 1 / accounts }

/**
 * So many in each window, of which nobody has more than half. Who comes when the window is full still has a share of his own,
 * so that a window never holds more than twice its limit. Each step takes the same time.
 */
export class FairRate {
  readonly #limits: RateLimits
  #startUs: Microseconds = Number.NEGATIVE_INFINITY
  #total = 0
  readonly #ofAccount = new Map<string, number>()

  constructor(limits: RateLimits) {
    this.#limits = limits
  }

  /** Counts it where there is room. `part`, 0..1, is how much of the window things of this kind may use. */
  admit(account: string, nowUs: Microseconds, part = 1): boolean {
    if (!this.hasRoom(account, nowUs, part)) return false
    const name = this.#nameOf(account)
    this.#total += 1
    this.#ofAccount.set(name, (this.#ofAccount.get(name) ?? 0) + 1)
    return true
  }

  hasRoom(account: string, nowUs: Microseconds, part = 1): boolean {
    this.windowStartUs(nowUs)
    const limit = this.#limits.perWindow * part
    const own = this.#ofAccount.get(this.#nameOf(account)) ?? 0
    return own < limit * (this.#total < limit ? shares.max : shares.min)
  }

  /** Of the window that this moment is in: it begins with the first look after the one before. */
  windowStartUs(nowUs: Microseconds): Microseconds {
    if (nowUs >= this.#startUs + this.#limits.windowUs) {
      this.#startUs = nowUs
      this.#total = 0
      this.#ofAccount.clear()
    }
    return this.#startUs
  }

  /** No account has an empty name. */
  #nameOf(account: string): string {
    return this.#ofAccount.has(account) || this.#ofAccount.size < accounts ? account : ""
  }
}
