import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { Outbox } from "./outbox.js"
import type { OutboxRecord } from "./outbox.js"
import { aFolder } from "../../testing/folder.js"
import { aLog } from "../../testing/log.js"
import { startMs } from "../../testing/time.js"

interface Changes {
  readonly segmentBytes?: number
  readonly nowMs?: () => number
  readonly beforeRoll?: (seq: number) => Promise<void>
}

async function make(folder = aFolder(), changes: Changes = {}) {
  const log = aLog()
  const defaults = { segmentBytes: 125_000, nowMs: () => startMs, beforeRoll: () => Promise.resolve() }
  const outbox = await Outbox.open({ folder, log, ...defaults, ...changes })
  onTestFinished(() => outbox.close())
  return { outbox, folder, log }
}

const payloads = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text))
const texts = (records: readonly OutboxRecord[]) => records.map(({ payload }) => payload.toString())
const segmentsIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".log"))
const lastOf = (records: readonly OutboxRecord[]) => {
  const last = records.at(-1)
  if (last === undefined) throw new Error("there is no record")
  return last
}
/** Records of 1 kB, numbered. */
const kilobytes = (from: number, count: number) =>
  payloads(...Array.from({ length: count }, (_, i) => String(from + i).padEnd(1_000)))

/** Everything that waits, acknowledged on the way. */
async function drain(outbox: Outbox): Promise<string[]> {
  const all: string[] = []
  for (let found = await outbox.peek(50, 40_000); found.length > 0; found = await outbox.peek(50, 40_000)) {
    all.push(...texts(found))
    await outbox.acknowledge(lastOf(found))
  }
  return all
}

describe("an outbox", () => {
  it("gives in order what was appended, until it is acknowledged", async () => {
    const { outbox } = await make()
    await outbox.append(payloads("a", "b"))
    await outbox.append(payloads("c"))
    expect(texts(await outbox.peek(2, 1_000))).toEqual(["a", "b"])
    const [first] = await outbox.peek(9, 1_000)
    if (first) await outbox.acknowledge(first)
    expect(texts(await outbox.peek(9, 1_000))).toEqual(["b", "c"])
    expect(outbox.counts.depth).toBe(2)
  })

  it("gives one record however large it is", async () => {
    const { outbox } = await make()
    await outbox.append(payloads("x".repeat(10_000), "y"))
    expect((await outbox.peek(9, 100)).map(({ payload }) => payload.length)).toEqual([10_000])
  })

  it("goes on where another run stopped", async () => {
    const { outbox, folder } = await make()
    await outbox.append(payloads("a", "b", "c"))
    const [first] = await outbox.peek(1, 1_000)
    if (first) await outbox.acknowledge(first)
    const { outbox: next } = await make(folder)
    await next.append(payloads("d"))
    expect(await drain(next)).toEqual(["b", "c", "d"])
    expect((await make(folder)).outbox.counts).toMatchObject({ depth: 0, bytes: 0 })
  })

  it("sends everything again when the reader's place is unreadable", async () => {
    const { outbox, folder } = await make()
    await outbox.append(payloads("a", "b"))
    await outbox.acknowledge(lastOf(await outbox.peek(1, 1_000)))
    writeFileSync(join(folder, "cursor.json"), "")
    expect(await drain((await make(folder)).outbox)).toEqual(["a", "b"])
  })

  it.each([1, 15, 16, 17, 20])("cuts off a record torn %d bytes before its end, and counts it", async (bytes) => {
    const { outbox, folder } = await make()
    await outbox.append(payloads("first", "second"))
    const path = join(folder, segmentsIn(folder)[0] ?? "")
    truncateSync(path, statSync(path).size - bytes)
    const { outbox: next, log } = await make(folder)
    expect(next.counts).toMatchObject({ depth: 1, torn: 1 })
    expect(log.lines.join()).toContain("cut short")
    await next.append(payloads("third"))
    expect(await drain(next)).toEqual(["first", "third"])
  })

  it("does not take bytes for a record whose check sum is wrong", async () => {
    const { outbox, folder } = await make()
    await outbox.append(payloads("first", "second"))
    const path = join(folder, segmentsIn(folder)[0] ?? "")
    const bytes = readFileSync(path)
    bytes.write("X", bytes.length - 2)
    writeFileSync(path, bytes)
    const { outbox: next } = await make(folder)
    expect(await drain(next)).toEqual(["first"])
    expect(next.counts.torn).toBe(1)
  })

  it("passes over what a damaged disk made unreadable, and counts it", async () => {
    const { outbox, folder } = await make()
    await outbox.append(kilobytes(0, 200))
    const [first = "", second = ""] = segmentsIn(folder)
    writeFileSync(join(folder, first), Buffer.alloc(statSync(join(folder, first)).size))
    const { outbox: next } = await make(folder)
    const left = await drain(next)
    expect(left[0]?.trim()).toBe(String(Number.parseInt(second, 10)))
    expect(next.counts.torn).toBe(Number.parseInt(second, 10))
  })

  it("ignores what is appended to a segment from elsewhere", async () => {
    const { outbox, folder } = await make()
    await outbox.append(payloads("a"))
    appendFileSync(join(folder, segmentsIn(folder)[0] ?? ""), "noise")
    expect(await drain(outbox)).toEqual(["a"])
  })

  it("removes segments once all in them is acknowledged", async () => {
    const { outbox, folder } = await make()
    await outbox.append(kilobytes(0, 500))
    expect(segmentsIn(folder).length).toBeGreaterThan(3)
    expect(await drain(outbox)).toHaveLength(500)
    expect(segmentsIn(folder)).toHaveLength(1)
    expect(outbox.counts).toMatchObject({ depth: 0, bytes: 0, oldestMs: undefined, shed: 0 })
  })

  it("drops its oldest segment when it is told to, and says what of it was still to be read", async () => {
    const { outbox } = await make()
    await outbox.append(kilobytes(0, 300))
    await outbox.acknowledge(lastOf(await outbox.peek(10, 20_000)))
    const shed = (await outbox.shedOldest()).map((payload) => Number(payload.toString()))
    expect(shed[0]).toBe(10)
    expect(outbox.counts).toMatchObject({ shed: shed.length, depth: 290 - shed.length })
    expect((await drain(outbox)).map(Number)).toEqual(
      Array.from({ length: 290 - shed.length }, (_, i) => 10 + shed.length + i),
    )
  })

  it("drops its only segment too, and goes on in another", async () => {
    const { outbox, folder } = await make()
    await outbox.append(payloads("a", "b"))
    expect((await outbox.shedOldest()).map(String)).toEqual(["a", "b"])
    expect(outbox.counts).toMatchObject({ depth: 0, shed: 2, oldestMs: undefined })
    await outbox.append(payloads("c"))
    expect(await drain((await make(folder)).outbox)).toEqual(["c"])
  })

  it("does not go back when something is acknowledged that was dropped meanwhile", async () => {
    const { outbox } = await make()
    await outbox.append(kilobytes(0, 300))
    const early = lastOf(await outbox.peek(10, 20_000))
    await outbox.shedOldest()
    const before = outbox.counts
    await outbox.acknowledge(early)
    expect(outbox.counts).toEqual(before)
  })

  it("knows since when the oldest waits, also after a restart", async () => {
    let nowMs = startMs
    const { outbox, folder } = await make(aFolder(), { nowMs: () => nowMs })
    await outbox.append(payloads("a"))
    nowMs += 60_000
    await outbox.append(payloads("b"))
    expect(outbox.counts.oldestMs).toBe(startMs)
    await outbox.acknowledge(lastOf(await outbox.peek(1, 1_000)))
    expect(outbox.counts.oldestMs).toBe(startMs + 60_000)
    expect((await make(folder)).outbox.counts.oldestMs).toBe(startMs + 60_000)
  })

  it("tells where a segment ends before there is another one", async () => {
    const rolls: number[] = []
    const folder = aFolder()
    const { outbox } = await make(folder, {
      beforeRoll: (seq) => {
        rolls.push(seq)
        return Promise.resolve()
      },
    })
    await outbox.append(kilobytes(0, 300))
    const firsts = segmentsIn(folder).map((name) => Number.parseInt(name, 10))
    expect(rolls).toEqual(firsts.slice(1))
  })

  it("keeps a batch whole when its write fails half-way", async () => {
    let isRefusing = true
    const { outbox } = await make(aFolder(), {
      beforeRoll: () => (isRefusing ? Promise.reject(new Error("no room")) : Promise.resolve()),
    })
    const durable: number[] = []
    await expect(outbox.append(kilobytes(0, 300), (count) => durable.push(count))).rejects.toThrow("no room")
    expect(durable).toEqual([outbox.counts.depth])
    isRefusing = false
    await outbox.append(kilobytes(300, 1))
    expect((await drain(outbox)).map(Number)).toEqual([...Array.from({ length: durable[0] ?? 0 }, (_, i) => i), 300])
  })
})
