import { setTimeout as delay } from "node:timers/promises"
import { messageOf } from "../../errors.js"
import type { Log } from "../../telemetry/log.js"
import type { AlertCondition } from "../../telemetry/status.js"
import type { AlertQueue, QueuedAlert } from "../outbox/alert-queue.js"
import { AlertsRefused } from "./alert-sink.js"
import type { AlertSink } from "./alert-sink.js"

/** Maximum bytes of one send: under the 1 MB that a Kafka broker takes by default, and soon repeated when lost. */
const batchBytes = 512 * 1024
/** First and longest pause before a failed send is retried, in milliseconds; it doubles in between. */
const retryMs = 100
const maxRetryMs = 5_000
/** What a destination may take to close, in milliseconds. */
const closeMs = 1_000

/** Brings alerts from one outbox to one destination: one send at a time, in order, retried until it succeeds. */
export class Publisher {
  readonly #queue: AlertQueue
  readonly #sink: AlertSink
  readonly #log: Log
  readonly #abort = new AbortController()
  readonly #running: Promise<void>
  #maxAlerts: number
  #published = 0
  #errors = 0
  #failure: string | undefined
  #isStopping = false

  constructor(queue: AlertQueue, sink: AlertSink, log: Log) {
    this.#queue = queue
    this.#sink = sink
    this.#maxAlerts = sink.maxAlerts
    this.#log = log
    this.#running = this.#run()
  }

  get name(): string {
    return this.#sink.name
  }

  get published(): number {
    return this.#published
  }

  get errors(): number {
    return this.#errors
  }

  get condition(): AlertCondition {
    if (this.#isOver) return { state: "stopped", text: "stopped" }
    return this.#failure === undefined
      ? { state: "ok", text: "alerts are sent as they come" }
      : { state: "failing", text: this.#failure }
  }

  /**
   * Sends what waits, for `graceMs` at most. True when nothing is left; what is left stays on disk and leaves at the next
   * start.
   */
  async stop(graceMs: number): Promise<boolean> {
    const giveUp = setTimeout(() => this.#abort.abort(), graceMs)
    this.#isStopping = true
    this.#queue.wake()
    await this.#running
    clearTimeout(giveUp)
    this.#abort.abort()
    await Promise.race([this.#sink.close().catch(() => undefined), delay(closeMs, undefined, { ref: false })])
    return this.#queue.counts.depth === 0
  }

  get #isOver(): boolean {
    return this.#abort.signal.aborted
  }

  async #run(): Promise<void> {
    for (let pauseMs = retryMs; !this.#abort.signal.aborted;) {
      try {
        const batch = await this.#queue.peek(this.#maxAlerts, batchBytes)
        if (batch.length === 0) {
          if (this.#isStopping) return
          await this.#queue.more()
          continue
        }
        await this.#send(batch)
        pauseMs = retryMs
      } catch (thrown) {
        if (this.#isOver) return
        this.#reportFailure(messageOf(thrown))
        await delay(pauseMs, undefined, { signal: this.#abort.signal }).catch(() => undefined)
        pauseMs = Math.min(2 * pauseMs, maxRetryMs)
      }
    }
  }

  async #send(batch: readonly QueuedAlert[]): Promise<void> {
    try {
      await this.#unlessAborted(this.#sink.send(batch.map(({ alert }) => alert)))
      this.#published += batch.length
      this.#maxAlerts = Math.min(this.#sink.maxAlerts, 2 * this.#maxAlerts)
    } catch (thrown) {
      if (!(thrown instanceof AlertsRefused)) throw thrown
      if (thrown.refusals === undefined && batch.length > 1) {
        // One of them is at fault, or all together are too large: halves tell.
        this.#maxAlerts = Math.ceil(batch.length / 2)
        return
      }
      await this.#putAside(batch, thrown)
    }
    const last = batch.at(-1)
    if (last !== undefined) await this.#queue.acknowledge(last)
    this.#recover()
  }

  async #putAside(batch: readonly QueuedAlert[], { message, refusals }: AlertsRefused): Promise<void> {
    const aside = refusals ?? batch.map(({ alert }) => ({ alert, reason: message }))
    for (const { alert, reason } of aside) {
      const fields = { destination: this.name, finding: alert.finding.id, version: alert.finding.version, reason }
      this.#log.error(fields, "alert refused by the destination, kept in refused.jsonl")
      await this.#queue.refuse(alert, reason)
    }
    this.#published += batch.length - aside.length
  }

  /** A send that hangs must not hold a stop. */
  #unlessAborted(sending: Promise<void>): Promise<void> {
    const { signal } = this.#abort
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error("stopped"))
      signal.addEventListener("abort", fail, { once: true })
      sending.then(resolve, reject).finally(() => signal.removeEventListener("abort", fail))
    })
  }

  #reportFailure(message: string): void {
    this.#errors += 1
    if (message === this.#failure) return
    this.#failure = message
    this.#log.warn({ destination: this.name, error: message }, "sending alerts failed, retrying; they wait on disk")
  }

  #recover(): void {
    if (this.#failure === undefined) return
    this.#failure = undefined
    this.#log.info({ destination: this.name }, "alerts are sent again")
  }
}
