import type { Claim } from "../domain/detector.js"
import type { View } from "../domain/view.js"

/** Claims that are remembered because they were passed on before it was seen whose connection they are about. */
const maxPassed = 10_000

/**
 * A user-mode network (slirp4netns, pasta) opens again what programs behind it open: one connection, seen at two sockets.
 * What is claimed about its own is claimed about them, or is theirs together: it goes no further as long as theirs is seen.
 */
export class MirroredClaims {
  /** By detector and subject, the oldest first. */
  readonly #passed = new Set<string>()

  advance(claims: readonly Claim[], view: View): readonly Claim[] {
    return claims.flatMap((claim) => this.#pass(claim, view) ?? [])
  }

  #pass(claim: Claim, view: View): Claim | undefined {
    const connection = claim.cookie === "" ? undefined : view.connection(claim.cookie)
    if (connection === undefined) return claim
    const key = `${claim.detector} ${claim.subject}`
    if (view.mirrorOf(connection) === undefined) {
      this.#remember(key, claim)
      return claim
    }
    // One that was told is taken back once.
    return this.#passed.delete(key) ? { ...claim, status: "ended" } : undefined
  }

  #remember(key: string, { status }: Claim): void {
    this.#passed.delete(key)
    if (status === "ended") return
    this.#passed.add(key)
    const oldest = this.#passed.values().next()
    if (this.#passed.size > maxPassed && oldest.done !== true) this.#passed.delete(oldest.value)
  }
}
