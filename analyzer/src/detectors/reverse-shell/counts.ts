/** Running counts of outside connections: bytes that shells read alike. */
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { ProcessKey } from "../../domain/identity.js"
import { advanceMatch, noMatch } from "./judge.js"
import type { ByteMatch } from "./judge.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

/** By outside connection, then by holder and shell. */
export class Matches {
  readonly #matches = new Map<string, Map<string, ByteMatch>>()
  #pairs = 0

  /** Adds the totals of this moment. */
  advance(attachment: Attachment, shell: ProcessKey, outside: Connection): ByteMatch {
    const ofConnection = this.#matches.get(outside.cookie) ?? new Map<string, ByteMatch>()
    this.#matches.set(outside.cookie, ofConnection)
    const key = `${attachment.process} ${shell}`
    const known = ofConnection.get(key)
    if (known === undefined) this.#pairs += 1
    const match = advanceMatch(known ?? noMatch, attachment, outside)
    ofConnection.set(key, match)
    this.#shrink(outside.cookie)
    return match
  }

  delete(cookie: string): void {
    this.#pairs -= this.#matches.get(cookie)?.size ?? 0
    this.#matches.delete(cookie)
  }

  #shrink(kept: string): void {
    if (this.#pairs <= limits.comparedPairs) return
    for (const cookie of this.#matches.keys()) {
      if (cookie === kept) continue
      this.delete(cookie)
      return
    }
  }
}
