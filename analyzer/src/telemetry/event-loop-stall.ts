import { monitorEventLoopDelay } from "node:perf_hooks"
import type { IntervalHistogram } from "node:perf_hooks"

/** How often the event loop is looked at, in milliseconds: a shorter stall is not seen. */
const resolutionMs = 10
/** The last minute, in parts that fall out of it one by one: two readers of the metric see the same. */
const partMs = 10_000
const parts = 6

/** The longest time for which this process did nothing but one thing, of the last minute. */
export class EventLoopStall {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs })
  readonly #past: number[] = []
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#delays.enable()
    this.#timer = setInterval(() => this.#turn(), partMs)
    this.#timer.unref()
  }

  get seconds(): number {
    return Math.max(this.#now, ...this.#past)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#delays.disable()
  }

  get #now(): number {
    return Math.max(0, this.#delays.max / 1e9 - resolutionMs / 1_000)
  }

  #turn(): void {
    this.#past.push(this.#now)
    if (this.#past.length >= parts) this.#past.shift()
    this.#delays.reset()
  }
}
