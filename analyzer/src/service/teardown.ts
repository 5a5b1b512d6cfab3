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
   * the first. Steps share `graceMs`; one that comes after it is spent still runs, with 0.
   */
  run(graceMs: number): Promise<void> {
    return (this.#ran ??= this.#runAll(graceMs))
  }

  async #runAll(graceMs: number): Promise<void> {
    const deadlineMs = performance.now() + graceMs
    const failures: unknown[] = []
    for (const undo of this.#steps.splice(0).reverse()) {
      try {
        await undo(Math.max(0, deadlineMs - performance.now()))
      } catch (thrown) {
        failures.push(thrown)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
