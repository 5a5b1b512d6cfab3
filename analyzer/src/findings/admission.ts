import { FairRate } from "../domain/fair-rate.js"
import type { Microseconds } from "../domain/identity.js"
import type { Severity } from "../domain/severity.js"
import { severities } from "../domain/severity.js"
import { findingThresholds } from "./thresholds.js"

const { beginning } = findingThresholds

interface Held {
  readonly account: string
  readonly severity: Severity
}

/**
 * Which findings begin now. Beyond a rate, of which nobody has more than half, a finding is held back until there is room
 * again: the graver ones have room longer, and leave first.
 */
export class Admission {
  readonly #rate = new FairRate(beginning)
  readonly #held = new Map<string, Held>()
  /** Ids by severity, the longest held first. */
  readonly #bySeverity = new Map<Severity, Set<string>>(severities.map((severity) => [severity, new Set()]))
  #heldBack = 0
  /** The window in which what is held was looked at last. */
  #lookedUs: Microseconds | undefined

  /** Findings that began late, so far. */
  get heldBack(): number {
    return this.#heldBack
  }

  /** False where it is held back. */
  admit(id: string, account: string, severity: Severity, nowUs: Microseconds): boolean {
    const isNew = !this.#held.has(id)
    this.forget(id)
    if (this.#rate.admit(account, nowUs, beginning.parts[severity])) return true
    if (isNew) this.#heldBack += 1
    this.#held.set(id, { account, severity })
    this.#bySeverity.get(severity)?.add(id)
    return false
  }

  /** What has room now, the gravest first; looked for once in a window. */
  *due(nowUs: Microseconds): Generator<string> {
    const startUs = this.#rate.windowStartUs(nowUs)
    if (this.#held.size === 0 || startUs === this.#lookedUs) return
    this.#lookedUs = startUs
    for (const severity of severities.toReversed())
      for (const id of [...(this.#bySeverity.get(severity) ?? [])]) {
        const held = this.#held.get(id)
        if (held && this.#rate.hasRoom(held.account, nowUs, beginning.parts[severity])) yield id
      }
  }

  forget(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    this.#bySeverity.get(held.severity)?.delete(id)
  }
}
