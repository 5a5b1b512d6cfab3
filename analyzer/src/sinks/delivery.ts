import { setTimeout as delay } from "node:timers/promises"
import type { Output } from "../domain/output.js"
import { messageOf } from "../errors.js"
import type { Log } from "../telemetry/log.js"
import type { DeliveryCounts } from "../telemetry/status.js"
import type { Sink } from "./sink.js"

export interface DeliveryLimits {
  /** A write starts when so many rows wait, or when the oldest waits so long. */
  readonly rows: number
  readonly delayMs: number
  /** Most outputs that wait for one sink, rows or not. */
  readonly outputs: number
  /** First and longest pause before a failed write is retried; it doubles in between. */
  readonly retryMs: number
  readonly maxRetryMs: number
}

export const defaultDeliveryLimits: DeliveryLimits = {
  rows: 5_000,
  delayMs: 200,
  outputs: 2_000,
  retryMs: 50,
  maxRetryMs: 5_000,
}

interface Waiting {
  readonly output: Output
  readonly onWritten: () => void
}

/**
 * Brings outputs to one sink: joined into few writes, one write at a time, in order. A failed write is retried with
 * the same array until it succeeds, so that the sink can recognise it.
 */
export class Delivery {
  readonly #sink: Sink
  readonly #limits: DeliveryLimits
  readonly #log: Log
  #waiting: Waiting[] = []
  #rows = 0
  #isWriting = false
  #timer: NodeJS.Timeout | undefined
  #whenRoom: (() => void)[] = []
  #whenIdle: (() => void)[] = []
  readonly #abort = new AbortController()
  #written = 0
  #failures = 0
  #shed = 0

  constructor(sink: Sink, log: Log, limits: DeliveryLimits) {
    this.#sink = sink
    this.#log = log
    this.#limits = limits
  }

  get name(): string {
    return this.#sink.name
  }

  get counts(): DeliveryCounts {
    return { written: this.#written, failures: this.#failures, shed: this.#shed, waiting: this.#waiting.length }
  }

  get #isFull(): boolean {
    return this.#rows >= this.#limits.rows || this.#waiting.length >= this.#limits.outputs
  }

  /** Queues the output. What waits beyond the limits is the caller's to prevent, by `room`. */
  add(output: Output, onWritten: () => void): void {
    this.#waiting.push({ output, onWritten })
    this.#rows += output.connections.length
    if (this.#isFull) void this.#write()
    else this.#timer ??= setTimeout(() => void this.#write(), this.#limits.delayMs)
  }

  /** As `add`, but when too much waits the oldest output is dropped and counted: for sinks that may not hold up the rest. */
  addOrShed(output: Output): void {
    if (this.#waiting.length >= this.#limits.outputs && this.#waiting.shift() !== undefined) this.#shed += 1
    this.add(output, () => undefined)
  }

  /** Resolves while there is room for another output. */
  async room(): Promise<void> {
    while (this.#isFull && !this.#abort.signal.aborted)
      await new Promise<void>((resolve) => {
        this.#whenRoom.push(resolve)
      })
  }

  /** Writes what waits; resolves when nothing does, or when `giveUp` was called. */
  async flush(): Promise<void> {
    void this.#write()
    while ((this.#isWriting || this.#waiting.length > 0) && !this.#abort.signal.aborted)
      await new Promise<void>((resolve) => {
        this.#whenIdle.push(resolve)
      })
  }

  /** Tries no more. What was not written stays unacknowledged. */
  giveUp(): void {
    this.#abort.abort()
    clearTimeout(this.#timer)
    this.#wake()
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isWriting || this.#waiting.length === 0) return
    this.#isWriting = true
    const batch = this.#waiting
    this.#waiting = []
    this.#rows = 0
    this.#wake()
    const isWritten = await this.#writeUntilDone(batch.map(({ output }) => output))
    this.#isWriting = false
    if (isWritten) {
      this.#written += batch.length
      for (const { onWritten } of batch) onWritten()
    }
    if (this.#isFull || this.#whenIdle.length > 0) void this.#write()
    else if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => void this.#write(), this.#limits.delayMs)
    this.#wake()
  }

  async #writeUntilDone(outputs: readonly Output[]): Promise<boolean> {
    for (let pauseMs = this.#limits.retryMs; ; pauseMs = Math.min(2 * pauseMs, this.#limits.maxRetryMs)) {
      try {
        await this.#sink.write(outputs)
        return true
      } catch (thrown) {
        this.#failures += 1
        this.#log.warn({ sink: this.#sink.name, pauseMs, error: messageOf(thrown) }, "write failed, retrying")
      }
      if (this.#abort.signal.aborted) return false
      await delay(pauseMs, undefined, { signal: this.#abort.signal }).catch(() => undefined)
    }
  }

  #wake(): void {
    const isIdle = !this.#isWriting && this.#waiting.length === 0
    const isOver = this.#abort.signal.aborted
    if (!this.#isFull || isOver) for (const resolve of this.#whenRoom.splice(0)) resolve()
    if (isIdle || isOver) for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
