import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { pidOf } from "../lab/case.js"
import { addresses, makeNetwork } from "../lab/network.js"
import { waitForLine, waitForSuccess } from "../lab/processes.js"
import type { LabNetwork } from "../lab/network.js"
import { missingForLab } from "../lab/requirements.js"
import { closedConnections } from "./closed-connections.js"
import { startAnalyzer, startCollector } from "./parts.js"

const count = 300
const size = 321
const missing = missingForLab()

describe.skipIf(missing !== undefined)("after kill -9 in mid-stream", () => {
  const cleanUp: (() => unknown)[] = []

  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step()
  }, 30_000)

  async function prepare(): Promise<LabNetwork> {
    const network = makeNetwork()
    cleanUp.push(network.remove)
    await network.serve("outside", "load.py", "serve", "7000")
    return network
  }

  it("of the analyzer, every connection is in the store once, with all its bytes", async () => {
    const network = await prepare()
    const first = await startAnalyzer(network.folder)
    const collector = await startCollector(network.folder)
    cleanUp.push(() => collector.stop())
    const load = network.python("inside", "load.py", "dial", addresses.outside, "7000", `${count}`, `${size}`, "5")
    await waitForLine(load, "started")
    await first.kill()
    const second = await startAnalyzer(network.folder)
    cleanUp.push(() => second.stop())
    await waitForSuccess(load)
    const rows = await closedConnections(second, (c) => c.pid === pidOf(load), count)
    expect(rows.length).toBe(count)
    expect(new Set(rows.map((c) => c.cookie)).size).toBe(count)
    expect(rows.filter((c) => c.bytes_sent !== size || c.bytes_received !== size)).toEqual([])
  }, 90_000)

  it("of the collector, every connection that lived through it is in the store once, with all its bytes", async () => {
    const network = await prepare()
    const analyzer = await startAnalyzer(network.folder)
    cleanUp.push(() => analyzer.stop())
    const first = await startCollector(network.folder)
    const release = join(network.folder, "release")
    const load = network.python("inside", "load.py", "hold", addresses.outside, "7000", "50", release)
    await waitForLine(load, "held")
    await first.kill()
    const second = await startCollector(network.folder)
    cleanUp.push(() => second.stop())
    writeFileSync(release, "")
    await waitForSuccess(load)
    const rows = await closedConnections(analyzer, (c) => c.pid === pidOf(load), 50)
    expect(rows.length).toBe(50)
    expect(new Set(rows.map((c) => c.cookie)).size).toBe(50)
    expect(rows.filter((c) => c.bytes_sent !== 123 || c.bytes_received !== 123)).toEqual([])
  }, 90_000)
})

describe.skipIf(missing !== undefined)("with a ring buffer that is too small", () => {
  it("counts what the kernel could not send", async () => {
    const network = makeNetwork()
    try {
      await network.serve("outside", "load.py", "serve", "7000")
      const analyzer = await startAnalyzer(network.folder)
      const collector = await startCollector(network.folder, ["--ring-bytes", "4096"])
      // A collector that is held still cannot drain: what does not fit is lost, whatever the speed of the machine.
      collector.signal("SIGSTOP")
      await waitForSuccess(network.python("inside", "load.py", "dial", addresses.outside, "7000", "500", "10"))
      collector.signal("SIGCONT")
      await collector.stop()
      await analyzer.stop()
      expect(Number(/lost ([0-9]+) connection records/.exec(analyzer.output())?.[1] ?? 0)).toBeGreaterThan(0)
    } finally {
      network.remove()
    }
  }, 90_000)
})
