import { get } from "node:http"
import { setTimeout as pause } from "node:timers/promises"

const betweenMs = 100
const limitMs = 5_000

export interface LivenessReport {
  /** The slowest answer; the limit where none came. */
  readonly slowestSeconds: number
  /** Questions that had no answer within 5 s. */
  readonly timeouts: number
  /** Longest time between two answers. */
  readonly gapSeconds: number
}

/** Asks /livez ten times a second, one question at a time. */
export class Liveness {
  readonly #url: string
  readonly #ended: Promise<void>
  #isOver = false
  #slowestMs = 0
  #timeouts = 0
  #gapMs = 0
  #answeredMs = performance.now()

  constructor(pageAddress: string) {
    this.#url = `http://${pageAddress}/livez`
    this.#ended = this.#poll()
  }

  async stop(): Promise<LivenessReport> {
    this.#isOver = true
    await this.#ended
    const gapMs = Math.max(this.#gapMs, performance.now() - this.#answeredMs)
    return { slowestSeconds: this.#slowestMs / 1e3, timeouts: this.#timeouts, gapSeconds: gapMs / 1e3 }
  }

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      const before = performance.now()
      const isAlive = await ask(this.#url)
      const now = performance.now()
      this.#slowestMs = Math.max(this.#slowestMs, now - before)
      if (isAlive) {
        this.#gapMs = Math.max(this.#gapMs, now - this.#answeredMs)
        this.#answeredMs = now
      } else this.#timeouts += 1
      await pause(betweenMs)
    }
  }
}

/** False where it does not answer 200 in time. A connection of its own each time, as probes have. */
function ask(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(limitMs) }, (response) => {
      response.resume()
      response.once("end", () => resolve(response.statusCode === 200))
      response.once("error", () => resolve(false))
    })
    request.once("error", () => resolve(false))
  })
}
