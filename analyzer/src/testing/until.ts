import { setTimeout as delay } from "node:timers/promises"

const pollMs = 5

/** Polls until the condition holds; rejects at the deadline with what it was waiting for. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await delay(pollMs)
  }
}
