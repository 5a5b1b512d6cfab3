import { setTimeout as delay } from "node:timers/promises"
import { AppError, messageOf } from "../../errors.js"

/** What was checked, its state, and what to do about it. */
export interface Result {
  readonly what: string
  /** "degraded" works, with less; "failing" does not work. */
  readonly state: "ok" | "degraded" | "failing"
  readonly text: string
  /** Empty where there is nothing to do. */
  readonly remedy: string
}

export type Outcome = Omit<Result, "what">

export interface Check {
  readonly what: string
  /** What it throws counts as failing. */
  readonly run: () => Promise<Outcome>
}

export const ok = (text: string): Outcome => ({ state: "ok", text, remedy: "" })
export const degraded = (text: string, remedy: string): Outcome => ({ state: "degraded", text, remedy })
export const failing = (text: string, remedy: string): Outcome => ({ state: "failing", text, remedy })

const remedies = {
  timeout: "Find what it waits for: the network, a firewall, or a disk that hangs.",
  thrown: "Check that what the message names exists and may be used.",
} as const

/** One check within its time. Never rejects. */
export async function runCheck({ what, run }: Check, limitMs: number): Promise<Result> {
  const ended = new AbortController()
  const timeout = failing(`timeout: no result within ${limitMs / 1_000} s`, remedies.timeout)
  const late = delay(limitMs, timeout, { signal: ended.signal })
  // It is ended below, when it has lost the race.
  late.catch(() => undefined)
  try {
    return { what, ...(await Promise.race([run(), late])) }
  } catch (thrown) {
    return thrown instanceof AppError
      ? { what, ...failing(thrown.message, thrown.remedy) }
      : { what, ...failing(messageOf(thrown), remedies.thrown) }
  } finally {
    ended.abort()
  }
}
