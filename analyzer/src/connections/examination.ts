import { accountOf } from "../domain/identity.js"
import type { Microseconds, ProcessFacts, ProcessKey } from "../domain/identity.js"
import { FairRate } from "../domain/fair-rate.js"
import type { TrackerLimits } from "./limits.js"

/**
 * Which programs are shown to detectors when they start. Beyond a rate of each account they wait until they have to do with a
 * connection: who starts programs by the ten thousand costs no time by that, and nothing that he lets in goes unseen.
 */
export class Examination {
  readonly #limits: TrackerLimits
  readonly #rate: FairRate
  /** Programs that were not shown, and what was shown of their process before; the longest so first. */
  readonly #waiting = new Map<ProcessKey, ProcessFacts | undefined>()
  #deferred = 0

  constructor(limits: TrackerLimits) {
    this.#limits = limits
    this.#rate = new FairRate(limits.newPrograms)
  }

  /** Programs that were not shown at their start, so far. */
  get deferred(): number {
    return this.#deferred
  }

  /** False where it has to wait. Facts that are sent again are no new program. */
  admit(facts: ProcessFacts, previous: ProcessFacts | undefined, nowUs: Microseconds): boolean {
    const waits = this.#waiting.has(facts.key)
    if (previous !== undefined && previous.execUs === facts.execUs && previous.exe === facts.exe) return !waits
    if (!waits && this.#rate.admit(accountOf(facts), nowUs)) return true
    this.#deferred += 1
    if (!waits) this.#wait(facts.key, previous)
    return false
  }

  /** Those of them that wait no longer, each with what was shown before. */
  take(
    ...processes: readonly (ProcessKey | undefined)[]
  ): readonly (readonly [ProcessKey, ProcessFacts | undefined])[] {
    if (this.#waiting.size === 0) return []
    const taken: (readonly [ProcessKey, ProcessFacts | undefined])[] = []
    for (const key of processes) {
      if (key === undefined || !this.#waiting.has(key)) continue
      taken.push([key, this.#waiting.get(key)])
      this.#waiting.delete(key)
    }
    return taken
  }

  forget(process: ProcessKey): void {
    this.#waiting.delete(process)
  }

  #wait(key: ProcessKey, previous: ProcessFacts | undefined): void {
    this.#waiting.set(key, previous)
    const oldest = this.#waiting.keys().next()
    if (this.#waiting.size > this.#limits.processes && oldest.done !== true) this.#waiting.delete(oldest.value)
  }
}
