import { describe, expect, it } from "vitest"
import { Delivery } from "./delivery.js"
import type { DeliveryLimits } from "./delivery.js"
import type { Output } from "../domain/output.js"
import type { Sink } from "./sink.js"
import { nothingLost } from "../domain/lost.js"
import { aHost } from "../testing/hosts.js"

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const limits: DeliveryLimits = { rows: 1_000, delayMs: 0, outputs: 3, retryMs: 1, maxRetryMs: 2 }

function anOutput(seq: number): Output {
  return {
    host: aHost(),
    seq,
    token: `t${seq}`,
    lost: nothingLost,
    connections: [],
    findings: [],
    incidents: [],
    couplings: [],
    report: undefined,
  }
}

/** A sink whose writes the test answers one by one. */
class AnsweredSink implements Sink {
  readonly name = "answered"
  readonly writes: number[][] = []
  readonly #answers: { resolve: () => void; reject: (error: Error) => void }[] = []
  #arrived: (() => void) | undefined

  write(outputs: readonly Output[]): Promise<void> {
    this.writes.push(outputs.map(({ seq }) => seq))
    return new Promise((resolve, reject) => {
      this.#answers.push({ resolve, reject })
      this.#arrived?.()
    })
  }
  async #next() {
    while (this.#answers.length === 0)
      await new Promise<void>((resolve) => {
        this.#arrived = resolve
      })
    return this.#answers.shift()
  }
  async accept(): Promise<void> {
    ;(await this.#next())?.resolve()
  }
  async refuse(): Promise<void> {
    ;(await this.#next())?.reject(new Error("disk is full"))
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

describe("Delivery", () => {
  it("joins what waits while a write is under way, and tells who waited when it is done", async () => {
    const sink = new AnsweredSink()
    const delivery = new Delivery(sink, log, limits)
    const written: number[] = []
    const add = (seq: number) => delivery.add(anOutput(seq), () => written.push(seq))
    add(1)
    const flushed = delivery.flush()
    add(2)
    add(3)
    expect(written).toEqual([])
    await sink.accept()
    await sink.accept()
    await flushed
    expect(sink.writes).toEqual([[1], [2, 3]])
    expect(written).toEqual([1, 2, 3])
  })

  it("writes the same array again until it succeeds", async () => {
    const sink = new AnsweredSink()
    const delivery = new Delivery(sink, log, limits)
    delivery.add(anOutput(1), () => undefined)
    const flushed = delivery.flush()
    delivery.add(anOutput(2), () => undefined)
    await sink.refuse()
    await sink.refuse()
    await sink.accept()
    await sink.accept()
    await flushed
    expect(sink.writes).toEqual([[1], [1], [1], [2]])
    expect(delivery.counts).toMatchObject({ written: 2, failures: 2, waiting: 0 })
  })

  it("has no room while too much waits, and again when it was written", async () => {
    const sink = new AnsweredSink()
    const delivery = new Delivery(sink, log, limits)
    for (const seq of [1, 2, 3, 4, 5, 6]) delivery.add(anOutput(seq), () => undefined)
    let hasRoom = false
    const room = delivery.room().then(() => {
      hasRoom = true
    })
    await Promise.resolve()
    expect(hasRoom).toBe(false)
    await sink.accept()
    await room
    await sink.accept()
    await delivery.flush()
    expect(sink.writes).toEqual([[1, 2, 3], [4, 5, 6]]) // prettier-ignore
  })

  it("gives up the oldest, counted, for a sink that may not hold the line", async () => {
    const sink = new AnsweredSink()
    const delivery = new Delivery(sink, log, limits)
    for (const seq of [1, 2, 3, 4, 5, 6, 7, 8]) delivery.addOrShed(anOutput(seq))
    await sink.accept()
    await sink.accept()
    await delivery.flush()
    expect(sink.writes).toEqual([[1, 2, 3], [6, 7, 8]]) // prettier-ignore
    expect(delivery.counts.shed).toBe(2)
  })

  it("ends a flush that cannot succeed when told to give up, and says that it was not written", async () => {
    const sink = new AnsweredSink()
    const delivery = new Delivery(sink, log, limits)
    const written: number[] = []
    delivery.add(anOutput(1), () => written.push(1))
    const flushed = delivery.flush()
    delivery.giveUp()
    await flushed
    await sink.refuse()
    await delivery.flush()
    expect(sink.writes).toEqual([[1]])
    expect(written).toEqual([])
    expect(delivery.counts).toMatchObject({ written: 0, failures: 1 })
  })
})
