import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { Networks } from "@backflow/analyzer/domain/networks.js"
import type { ConnectionRow, Output } from "@backflow/analyzer/domain/output.js"
import { startAnalyzer } from "@backflow/analyzer/main.js"
import type { AnalyzerPorts } from "@backflow/analyzer/main.js"
import { afterEach, describe, expect, it } from "vitest"
import { pidOf } from "../lab/case.js"
import { addresses, ending, makeGround, saying } from "../lab/ground.js"
import { missingForLab } from "../lab/requirements.js"
import { collector } from "../lab/watch.js"

const count = 200
const size = 50
/** Room for a few records only: the least that the kernel takes. */
const ringBytes = 4096
const missing = missingForLab()

const ignore = (): undefined => undefined
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** Analyzer ports without detectors, whose store keeps what it is given. */
function keeping(kept: Output[]): AnalyzerPorts {
  return {
    stages: {
      detectors: () => [],
      findings: () => ({ advance: () => [] }),
      incidents: () => ({ advance: () => [] }),
    },
    store: {
      name: "store",
      write: (outputs) => {
        kept.push(...outputs)
        return Promise.resolve()
      },
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    sinks: [],
    log: quiet,
    nowUs: () => Date.now() * 1000,
  }
}

describe.skipIf(missing !== undefined)("a ring buffer that is too small", () => {
  const cleanUp: (() => unknown)[] = []

  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step()
  }, 60_000)

  it("loses records, and every one that is lost is counted", async () => {
    const ground = makeGround()
    cleanUp.push(ground.remove)
    await ground.serve("outside", "load.py", "serve", "7000")
    const kept: Output[] = []
    const address = `unix:${join(ground.folder, "overflow.sock")}`
    const analyzer = await startAnalyzer({ listen: address, networks: new Networks([]) }, keeping(kept))
    cleanUp.push(() => analyzer.stop())
    const options = ["--analyzer", address, "--ring-bytes", `${ringBytes}`]
    const child = spawn(collector, options, { stdio: ["ignore", "pipe", "pipe"] })
    cleanUp.push(() => child.kill("SIGKILL"))
    await saying(child, '{"ready":true')
    const before = kept.at(-1)?.lost.ringConnection ?? 0

    // Nobody drains the ring while the collector is held.
    child.kill("SIGSTOP")
    const load = ground.python("inside", "load.py", "dial", addresses.outside, "7000", `${count}`, `${size}`)
    await ending(load)
    child.kill("SIGCONT")
    const exited = once(child, "exit")
    child.kill("SIGTERM")
    const [code] = (await exited) as [number | null]
    expect(code).toBe(0)

    const lost = (kept.at(-1)?.lost.ringConnection ?? 0) - before
    const closed = new Set(kept.flatMap((output) => output.connections.filter(isClosed)).map((row) => row.cookie))
    expect(lost).toBeGreaterThan(0)
    // Both ends of each connection are sockets of this machine.
    expect(closed.size + lost).toBeGreaterThanOrEqual(2 * count)
    expect(closed.size).toBeLessThan(2 * count)
    expect(pidOf(load)).toBeGreaterThan(0)
  }, 60_000)
})

function isClosed(row: ConnectionRow): boolean {
  return row.remote.port === 7000 || row.local.port === 7000
}
