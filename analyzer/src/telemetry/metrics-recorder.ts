import { messageOf } from "../errors.js"
import type { Log } from "./log.js"
import type { MetricSample, Metrics } from "./metrics.js"

/** As often as Prometheus scrapes by default. */
const everyMs = 15_000

export interface RecorderPorts {
  readonly metrics: Pick<Metrics, "samples" | "countSkippedSamples">
  /** The store's; rejects while it is unreachable. One token for each look. */
  readonly insert: (samples: readonly MetricSample[], token: string) => Promise<void>
  readonly log: Log
}

/** Writes the metrics to the store, for dashboards without Prometheus. A write that fails is skipped and counted. */
export class MetricsRecorder {
  readonly #ports: RecorderPorts
  readonly #timer: NodeJS.Timeout
  #isWriting = false
  #current: Promise<void> = Promise.resolve()

  constructor(ports: RecorderPorts, periodMs = everyMs) {
    this.#ports = ports
    this.#timer = setInterval(() => this.record(), periodMs)
    this.#timer.unref()
  }

  /** Starts a write, unless one is under way still. */
  record(): void {
    if (this.#isWriting) {
      this.#ports.metrics.countSkippedSamples()
      return
    }
    this.#isWriting = true
    this.#current = this.#write().finally(() => {
      this.#isWriting = false
    })
  }

  /** Ends the clock, and waits for the write under way for `graceMs` at most. */
  async stop(graceMs: number): Promise<void> {
    clearInterval(this.#timer)
    let giveUp: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => (giveUp = setTimeout(resolve, graceMs)))
    await Promise.race([this.#current, limit])
    clearTimeout(giveUp)
  }

  async #write(): Promise<void> {
    try {
      const samples = await this.#ports.metrics.samples()
      const [first] = samples
      if (first !== undefined) await this.#ports.insert(samples, `metrics:${first.source}:${first.atMs}`)
    } catch (thrown) {
      this.#ports.metrics.countSkippedSamples()
      this.#ports.log.debug({ error: messageOf(thrown) }, "storing the metrics failed")
    }
  }
}
