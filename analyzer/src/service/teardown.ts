import { AppError } from "../errors.js"

/** Kept of the time for the steps after one that uses all that it is given, in milliseconds. */
const maxKeptMs = 3_000
/** Each step gets so much after the end of the time, in milliseconds: most need no waiting at all. */
const minStepMs = 50

/** Undoes one step of a start, within what is left of the time for it, in milliseconds. */
type Undo = (leftMs: number) => unknown

/** The way back of a start: a step for each thing that was started. They run once, the last one first. */
export class Teardown {
  readonly #steps: Undo[] = []
  #ran: Promise<void> | undefined

  add(undo: Undo): void {
    this.#steps.push(undo)
  }

  /**
   * Runs every step, also after one that fails, and rejects with the first failure. Once: a later call gets the promise of
   * the first. Steps share `graceMs` less what is kept for those that come after the time is spent: they run with 0. At the
   * end of `graceMs` what is still under way is left behind, so that nothing can hold up the end of the process.
   */
  run(graceMs: number): Promise<void> {
    return (this.#ran ??= this.#runAll(graceMs))
  }

  async #runAll(graceMs: number): Promise<void> {
    const deadlineMs = performance.now() + graceMs
    const keptMs = Math.min(maxKeptMs, graceMs / 4)
    const failures: unknown[] = []
    for (const undo of this.#steps.splice(0).reverse()) {
      const leftMs = Math.max(0, deadlineMs - performance.now())
      try {
        await within(Math.max(minStepMs, leftMs), undo(Math.max(0, leftMs - keptMs)))
      } catch (thrown) {
        failures.push(thrown)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

/** Resolves or rejects with the promise, and rejects after `ms`. */
async function within(ms: number, step: unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError("store-write", text, remedy)), ms)
  })
  try {
    await Promise.race([step, timeout])
  } finally {
    clearTimeout(timer)
  }
}

const text = "timeout: the stop was not done within stop_seconds, and what was under way is left behind"
const remedy = "Collectors send again what was not acknowledged; raise stop_seconds if the store needs longer."
