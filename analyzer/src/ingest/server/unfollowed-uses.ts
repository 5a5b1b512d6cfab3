import type { Unfollowed } from "../../domain/unfollowed.js"

/** As many as one collector keeps. */
const maxUses = 256

/** What one run of a collector does not follow, each use as it was last sent. */
export class UnfollowedUses {
  /** By what and who, the longest unchanged first. */
  readonly #uses = new Map<string, Unfollowed>()

  get all(): readonly Unfollowed[] {
    return [...this.#uses.values()]
  }

  learn(uses: readonly Unfollowed[]): void {
    for (const use of uses) {
      const key = `${use.process ?? ""} ${use.what}`
      this.#uses.delete(key)
      this.#uses.set(key, use)
      const oldest = this.#uses.keys().next()
      if (this.#uses.size > maxUses && oldest.done !== true) this.#uses.delete(oldest.value)
    }
  }
}
