import { once } from "node:events"
import { afterEach, describe, expect, it } from "vitest"
import { pidOf } from "../lab/case.js"
import { addresses, ending, makeGround, saying } from "../lab/ground.js"
import { missingForLab } from "../lab/requirements.js"
import { Lone } from "./lone.js"

const count = 500
const size = 432
const pauseMs = 10
const missing = missingForLab()

describe.skipIf(missing !== undefined)("a collector whose analyzer is killed", () => {
  const cleanUp: (() => unknown)[] = []

  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step()
  }, 60_000)

  it("hands over every connection, and the store holds each once", async () => {
    const ground = makeGround()
    cleanUp.push(ground.remove)
    const server = await ground.serve("outside", "load.py", "serve", "7000")
    const lone = new Lone(ground.folder)
    await lone.startAnalyzer()
    cleanUp.push(() => lone.stopAnalyzer())
    const collector = await lone.startCollector()
    cleanUp.push(() => collector.kill("SIGKILL"))

    const args = [addresses.outside, "7000", `${count}`, `${size}`, `${pauseMs}`]
    const load = ground.python("inside", "load.py", "dial", ...args)
    await saying(load, "started")
    // While connections come and go; each start takes a part of the stream's time.
    let kills = 0
    while (load.exitCode === null && kills < 3) {
      await lone.killAnalyzer()
      kills += 1
      await lone.startAnalyzer()
    }
    expect(load.exitCode, "the connections were over before the kills were").toBeNull()
    await ending(load)

    const exited = once(collector, "exit")
    collector.kill("SIGTERM")
    const [code] = (await exited) as [number | null]
    expect(code, "the collector stopped with batches that no analyzer acknowledged").toBe(0)

    const rows = lone.connections().filter((c) => c.pid === pidOf(load) || c.pid === pidOf(server))
    const near = rows.filter((c) => c.initiator === "local")
    const far = rows.filter((c) => c.initiator === "remote")
    expect([near.length, far.length]).toEqual([count, count])
    expect(new Set(rows.map((c) => c.cookie)).size).toBe(2 * count)
    expect(rows.filter((c) => c.closed !== "closed" || c.bytes_sent !== size || c.bytes_received !== size)).toEqual([])
    expect(await lone.stopAnalyzer()).toBe(0)
  }, 120_000)
})
