import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import type { Severity } from "../../domain/severity.js"
import { Lanes } from "./lanes.js"
import { aFolder } from "../../testing/folder.js"
import { aLog } from "../../testing/log.js"
import { startMs } from "../../testing/time.js"

async function make(folder = aFolder(), limitBytes = 1_000_000) {
  const log = aLog()
  const beforeRoll = () => Promise.resolve()
  const lanes = await Lanes.open({ folder, limitBytes, log, nowMs: () => startMs, beforeRoll })
  onTestFinished(() => lanes.close())
  const shed: string[] = []
  /** Records of 1 kB, named by their lane and numbered. */
  const append = async (lane: Severity, from: number, count: number) => {
    const payloads = Array.from({ length: count }, (_, i) => Buffer.from(`${lane} ${from + i}`.padEnd(1_000)))
    await lanes.append(
      payloads.map((payload) => ({ lane, payload })),
      () => undefined,
      (dropped) => shed.push(...dropped.map((payload) => payload.toString().trim())),
    )
  }
  return { lanes, folder, log, append, shed }
}

async function drain(lanes: Lanes): Promise<string[]> {
  const all: string[] = []
  for (let found = await lanes.peek(50, 40_000); found !== undefined; found = await lanes.peek(50, 40_000)) {
    all.push(...found.records.map(({ payload }) => payload.toString().trim()))
    const last = found.records.at(-1)
    if (last !== undefined) await lanes.acknowledge(found.lane, last)
  }
  return all
}

const named = (lane: Severity, from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `${lane} ${from + i}`)

describe("lanes", () => {
  it("are read from the gravest on, each in its order, also after a restart", async () => {
    const { lanes, append, folder } = await make()
    await append("low", 0, 2)
    await append("medium", 0, 60)
    await append("critical", 0, 2)
    await append("high", 0, 1)
    await append("critical", 2, 1)
    const order = [...named("critical", 0, 3), "high 0", ...named("medium", 0, 60), ...named("low", 0, 2)]
    await lanes.close()
    const { lanes: next } = await make(folder)
    expect(next.counts.depth).toBe(66)
    expect(await drain(next)).toEqual(order)
    expect(next.counts).toMatchObject({ depth: 0, bytes: 0, oldestMs: undefined })
  })

  it("share their room, and drop the oldest of the lowest first", async () => {
    const { lanes, append, folder, shed, log } = await make()
    await append("high", 0, 300)
    await append("low", 0, 200)
    for (let n = 0; n < 2_000; n += 50) await append("medium", n, 50)
    const { shed: counts, depth } = lanes.counts
    expect(counts).toMatchObject({ high: 0, low: 200 })
    expect(counts.medium).toBe(2_300 - depth)
    expect(shed).toEqual([...named("low", 0, 200), ...named("medium", 0, counts.medium)])
    const left = await drain(lanes)
    expect(left.slice(0, 300)).toEqual(named("high", 0, 300))
    expect(left.slice(300)).toEqual(named("medium", counts.medium, 2_000 - counts.medium))
    const sizes = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => statSync(join(folder, name)))
    const onDisk = sizes.filter((found) => found.isFile()).reduce((sum, { size }) => sum + size, 0)
    expect(onDisk).toBeLessThanOrEqual(1_001_000)
    expect(log.lines.length).toBeLessThanOrEqual(20)
  })

  it("do not drop what is grave for what is not, which is turned away and counted", async () => {
    const { lanes, append, shed } = await make()
    await append("critical", 0, 980)
    await append("medium", 0, 50)
    expect(lanes.counts.shed).toMatchObject({ critical: 0, medium: 50 })
    expect(shed).toEqual(named("medium", 0, 50))
    expect(await drain(lanes)).toEqual(named("critical", 0, 980))
  })

  it("give up what was sent before anything that waits", async () => {
    const { lanes, append } = await make()
    await append("high", 0, 60)
    await append("critical", 0, 55)
    expect(await drain(lanes)).toHaveLength(115)
    await append("medium", 0, 970)
    expect(lanes.counts.shed).toMatchObject({ medium: 0, high: 0, critical: 0 })
  })

  it("drop the oldest of the gravest when there is nothing else", async () => {
    const { lanes, append } = await make()
    await append("critical", 0, 1_200)
    const dropped = lanes.counts.shed.critical
    expect(dropped).toBeGreaterThan(0)
    expect(await drain(lanes)).toEqual(named("critical", dropped, 1_200 - dropped))
  })
})
