import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { AppError } from "../../errors.js"
import type { Sink } from "../../sinks/sink.js"
import { alertId } from "./alert.js"
import type { AlertQueue } from "./alert-queue.js"
import { OutboxThenStore } from "../outbox-then-store.js"
import { aFolder, anAlert, aQueue, idOf, outputOf } from "../../testing/alerts.js"
import { aFinding } from "../../testing/findings.js"

const waiting = async (queue: AlertQueue) =>
  (await queue.peek(1_000, 10_000_000)).map(({ alert }) => `${alert.kind} ${alert.finding.version}`)

async function drain(queue: AlertQueue): Promise<void> {
  for (let found = await queue.peek(100, 1e6); found.length > 0; found = await queue.peek(100, 1e6)) {
    const last = found.at(-1)
    if (last) await queue.acknowledge(last)
  }
}

describe("a queue of alerts", () => {
  it("holds only what is selected", async () => {
    const queue = await aQueue(aFolder())
    await queue.write([outputOf(aFinding(), aFinding({ id: idOf(2), severity: "low" })), outputOf()])
    expect(await waiting(queue)).toEqual(["created 1"])
  })

  it("does not append the same array twice, and another one with the same findings does", async () => {
    const queue = await aQueue(aFolder())
    const outputs = [outputOf(aFinding())]
    await queue.write(outputs)
    await queue.write(outputs)
    expect(await waiting(queue)).toEqual(["created 1"])
    await queue.write([...outputs])
    expect(await waiting(queue)).toEqual(["created 1", "created 1"])
  })

  it("knows after a restart what has left, sent or not", async () => {
    const folder = aFolder()
    const first = await aQueue(folder)
    await first.write([outputOf(aFinding(), aFinding({ id: idOf(2) }))])
    await drain(first)
    const second = await aQueue(folder)
    await second.write([outputOf(aFinding({ version: 2 }), aFinding({ id: idOf(2), version: 2, status: "closed" }))])
    expect(await waiting(second)).toEqual(["updated 2", "closed 2"])
  })

  it("knows it when the segments that held it are long gone", async () => {
    const folder = aFolder()
    const first = await aQueue(folder)
    await first.write([outputOf(aFinding())])
    for (let n = 2; n < 400; n++) await first.write([outputOf(aFinding({ id: idOf(n) }))])
    await drain(first)
    expect(JSON.parse(readFileSync(join(folder, "ledger.json"), "utf8"))).toMatchObject({
      seq: expect.any(Number) as number,
    })
    const second = await aQueue(folder)
    for (const id of [aFinding().id, idOf(399)]) {
      await second.write([outputOf(aFinding({ id, version: 2, severity: "low", status: "updated" }))])
    }
    expect(await waiting(second)).toEqual(["closed 2", "closed 2"])
  })

  it("puts aside what was refused, with the reason", async () => {
    const folder = aFolder()
    const queue = await aQueue(folder)
    const alert = anAlert()
    await queue.refuse(alert, "too large")
    expect(queue.counts.refused).toBe(1)
    const line = JSON.parse(readFileSync(join(folder, "refused.jsonl"), "utf8")) as Record<string, unknown>
    expect(line).toMatchObject({ reason: "too large", kind: "created", finding: { id: alert.finding.id } })
  })
})

/** A sink that fails so many times, and notes the ids that it was given. */
class FailingStore implements Sink {
  readonly name = "store"
  failures = 0
  readonly written: string[] = []

  write(outputs: Parameters<Sink["write"]>[0]): Promise<void> {
    if (this.failures-- > 0) return Promise.reject(new AppError("store-write", "timeout", "Wait."))
    this.written.push(...outputs.flatMap(({ findings }) => findings.map(({ id, version }) => `${id}:${version}`)))
    return Promise.resolve()
  }
}

describe("outboxes, then the store", () => {
  it("has the alert on disk before the store is written, and once however often the store fails", async () => {
    const folder = aFolder()
    const queue = await aQueue(folder)
    const store = new FailingStore()
    const sink = new OutboxThenStore([queue], store)
    const outputs = [outputOf(aFinding())]
    store.failures = 2
    await expect(sink.write(outputs)).rejects.toThrow("timeout")
    expect(await waiting(await aQueue(folder))).toEqual(["created 1"])
    await expect(sink.write(outputs)).rejects.toThrow("timeout")
    await sink.write(outputs)
    expect(store.written).toEqual([alertId(anAlert())])
    expect(await waiting(queue)).toEqual(["created 1"])
    expect(sink.name).toBe("store")
  })

  it("fails when one outbox does, and completes only what is missing", async () => {
    const [good, bad] = [await aQueue(aFolder()), new FailingStore()]
    bad.failures = 1
    const store = new FailingStore()
    const sink = new OutboxThenStore([bad, good], store)
    const outputs = [outputOf(aFinding())]
    await expect(sink.write(outputs)).rejects.toThrow("timeout")
    expect(store.written).toEqual([])
    await sink.write(outputs)
    expect(store.written).toHaveLength(1)
    expect(await waiting(good)).toEqual(["created 1"])
    expect(bad.written).toHaveLength(1)
  })
})
