import { setTimeout as delay } from "node:timers/promises"

const tokenNeeded = "The page's token is needed; backflow prints where it is when it starts."

/** Each reason for a refusal, by its label in the metrics, and what the client gets as the error. */
export const refusalTexts = {
  no_token: tokenNeeded,
  wrong_token: tokenNeeded,
  host: "Unknown host name; open the page by its address.",
  origin: "Sign-in from another site is refused.",
  method: "Method not allowed; only GET.",
  body: "Request bodies are refused.",
  too_many_watchers: "Too many pages are open; close one and reload.",
  // Its connection is cut, so that nobody reads a text.
  slow_watcher: "",
  // So is the oldest of those that have shown no token, where they are too many.
  too_many_connections: "",
  too_many_failures: "Too many wrong tokens; retry in a moment.",
} as const
export type RefusalReason = keyof typeof refusalTexts

/** A wrong token is refused after this delay in milliseconds; beyond so many at once, immediately. */
const failureMs = 1_000
const maxWaiting = 16

/** Counts what was refused, and makes guessing slow without making anybody with the token wait. */
export class Refusals {
  readonly #counts = new Map(Object.keys(refusalTexts).map((reason) => [reason as RefusalReason, 0]))
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

  /** Resolves when the refusal may be sent; false at once when too many others wait for that already. */
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
