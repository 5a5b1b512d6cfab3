import { DueQueue } from "../../domain/due-queue.js"
import type { Microseconds } from "../../domain/identity.js"
import { Portions } from "../../domain/portions.js"
import { longLivedSshThresholds as limits } from "./thresholds.js"

/** Connections whose age counts, by cookie, and when each is looked at next. A look costs what is due, however many wait. */
export class WatchList {
  readonly #due = new DueQueue<string>()
  readonly #accounts = new Map<string, string>()
  readonly #portions = new Portions<string>()

  has(cookie: string): boolean {
    return this.#accounts.has(cookie)
  }

  /** What had to go for it: of the account that has most, the oldest. */
  add(cookie: string, account: string, dueUs: Microseconds): string | undefined {
    const gone = this.#accounts.size >= limits.watched ? this.#oldestOf(this.#portions.largest() ?? "") : undefined
    if (gone !== undefined) this.delete(gone)
    this.#accounts.set(cookie, account)
    this.#portions.add(account, cookie)
    this.#due.set(cookie, dueUs)
    return gone
  }

  delete(cookie: string): void {
    this.#portions.delete(this.#accounts.get(cookie) ?? "", cookie)
    this.#accounts.delete(cookie)
    this.#due.delete(cookie)
  }

  /** Each has to be postponed or deleted. */
  takeDue(nowUs: Microseconds): readonly string[] {
    return this.#due.takeDue(nowUs)
  }

  postpone(cookie: string, dueUs: Microseconds): void {
    if (this.has(cookie)) this.#due.set(cookie, dueUs)
  }

  #oldestOf(account: string): string | undefined {
    for (const cookie of this.#portions.keys(account)) return cookie
    return undefined
  }
}
