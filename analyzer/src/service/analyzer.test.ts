import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Analyzer, AnalyzerPorts } from "./analyzer.js"
import type { Detector } from "../domain/detector.js"
import type { Output } from "../domain/output.js"
import { batchToken } from "../domain/keys.js"
import { anAnalyzer } from "../testing/analyzer.js"
import { FakeCollector } from "../testing/fake-collector.js"
import { recordedStreams } from "../ingest/server/recording.js"
import { batch, connections, flags, hello, process, snapshot } from "../testing/wire-messages.js"
import { aHost } from "../testing/hosts.js"
import { noStages, pipelineOptions } from "../testing/trackers.js"
import type { Stages } from "../pipeline/host-pipeline.js"
import { replay } from "./replay.js"
import type { Sink } from "../sinks/sink.js"
import { stagesFor } from "../pipeline/stages.js"

/** A store whose writes resolve when the test says so. */
class HeldStore implements Sink {
  readonly name = "store"
  readonly written: Output[] = []
  readonly #held: (() => void)[] = []
  #arrived: (() => void) | undefined
  isHeld = false
  failures = 0

  write(outputs: readonly Output[]): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1
      return Promise.reject(new Error("disk is full"))
    }
    this.written.push(...outputs)
    this.#arrived?.()
    if (!this.isHeld) return Promise.resolve()
    return new Promise((resolve) => this.#held.push(resolve))
  }
  release(): void {
    this.isHeld = false
    for (const resolve of this.#held.splice(0)) resolve()
  }
  /** Resolves once so many outputs have arrived. */
  async has(count: number): Promise<void> {
    while (this.written.length < count)
      await new Promise<void>((resolve) => {
        this.#arrived = resolve
      })
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

const findingStages: Stages = stagesFor({
  detectors: { longLivedSsh: { afterSeconds: 600 } },
  policy: { approved: [], suppressed: [], denied: [] },
})

function failsOn(cookie: string): Detector {
  return {
    name: "failing",
    observe: (change) => {
      if (change.kind === "connection" && change.connection.cookie.endsWith(cookie)) throw new Error("a fault")
      return []
    },
    tick: () => [],
  }
}

/** Holds the event loop for that long. */
function spin(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

let folder: string
let store: HeldStore
let analyzer: Analyzer | undefined
let collectors: FakeCollector[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-"))
  store = new HeldStore()
  collectors = []
})
afterEach(async () => {
  for (const collector of collectors) collector.close()
  await analyzer?.stop(0)
  analyzer = undefined
  rmSync(folder, { recursive: true })
})

async function start(
  config: Parameters<typeof anAnalyzer>[1] = {},
  ports: Partial<AnalyzerPorts> = {},
): Promise<Analyzer> {
  const started = anAnalyzer({ store, ...ports }, config)
  await started.start()
  analyzer = started
  return started
}

function dial(address: string, token?: string): FakeCollector {
  const collector = new FakeCollector(address, token)
  collectors.push(collector)
  return collector
}

describe("the line from socket to store", () => {
  it.each(["127.0.0.1:0", "[::1]:0", "unix"])("carries a connection over %s", async (listen) => {
    const { address } = await start({ listen: listen === "unix" ? `unix:${join(folder, "line.sock")}` : listen })
    const collector = dial(address)
    collector.send(hello())
    expect(await collector.next("welcome")).toMatchObject({ protocol: 1, window: 64 })
    collector.send(batch(1, { processes: [process(3, 42)], connections: connections([{ cookie: "abc", process: 3 }]) }))
    await collector.acknowledged(1)
    expect(store.written).toHaveLength(1)
    expect(store.written[0]).toMatchObject({
      seq: 1,
      token: batchToken(aHost(), 1),
      connections: [
        {
          reason: "opened",
          connection: { cookie: "0000000000000abc", remote: { address: "203.0.113.9", port: 443 } },
          process: { pid: 42, exe: "/usr/bin/ssh" },
        },
      ],
    })
  })

  it("acknowledges only what is durable", async () => {
    store.isHeld = true
    const { address } = await start()
    const collector = dial(address)
    collector.send(hello())
    collector.send(batch(1))
    await store.has(1)
    collector.send(batch(2))
    await collector.next("welcome")
    expect(collector.acks).toEqual([])
    store.release()
    await collector.acknowledged(2)
    expect(collector.acks.at(-1)).toBe(2)
  })

  it("writes the same again after a failure, and then acknowledges", async () => {
    store.failures = 2
    const { address } = await start()
    const collector = dial(address)
    collector.send(hello())
    collector.send(batch(1, { connections: connections([{}]) }))
    await collector.acknowledged(1)
    expect(store.written).toHaveLength(1)
    expect(analyzer?.status().deliveries).toMatchObject([{ sink: "store", counts: { failures: 2, written: 1 } }])
  })

  it("applies a batch that comes again after a reconnect once, and acknowledges it", async () => {
    const { address } = await start()
    const first = dial(address)
    first.send(hello())
    first.send(batch(1, { processes: [process(3, 42)], connections: connections([{ cookie: "a", process: 3 }]) }))
    first.send(batch(2, { connections: connections([{ cookie: "b", process: 3 }]) }))
    await first.acknowledged(2)
    first.close()

    const again = dial(address)
    again.send(hello())
    again.send(batch(2, { connections: connections([{ cookie: "b", process: 3 }]) }))
    again.send(batch(3, { connections: connections([{ cookie: "c", process: 3 }]) }))
    await again.acknowledged(3)
    expect(store.written.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(store.written[2]?.connections[0]?.process?.pid).toBe(42)
    expect(analyzer?.status().sessions[0]?.counts).toMatchObject({ batches: 3, duplicates: 1, missing: 0 })
  })

  it("closes what a snapshot after a reconnect does not name", async () => {
    const { address } = await start()
    const first = dial(address)
    first.send(hello())
    first.send(batch(1, { connections: connections([{ cookie: "a" }, { cookie: "b" }]) }))
    await first.acknowledged(1)
    first.close()

    const restarted = dial(address)
    restarted.send(hello({ instance: "8" }))
    restarted.send(snapshot(2, { more: true, connections: connections([{ cookie: "a", flags: flags.moved }]) }))
    restarted.send(snapshot(3, { connections: connections([{ cookie: "c" }]) }))
    restarted.send(batch(30))
    await restarted.acknowledged(30)
    const rows = store.written.slice(1).flatMap((output) => output.connections)
    expect(rows.map(({ reason, connection }) => [reason, connection.cookie.at(-1), connection.closed])).toEqual([
      ["opened", "c", undefined],
      ["closed", "b", "vanished"],
    ])
  })

  it("counts batches that never came, and what the collector lost", async () => {
    const { address } = await start()
    const collector = dial(address)
    collector.send(hello())
    collector.send(batch(1))
    collector.send(batch(5, { lost: { ringConnection: 9, shedInterim: 4 } }))
    await collector.acknowledged(5)
    expect(analyzer?.status().sessions[0]?.counts).toMatchObject({
      missing: 3,
      lost: { ringConnection: 9, shedInterim: 4, ringExec: 0 },
    })
  })

  it("ends the stream of a collector that says goodbye once all of it is durable", async () => {
    store.isHeld = true
    const { address } = await start()
    const collector = dial(address)
    collector.send(hello())
    collector.send(batch(1))
    collector.end()
    await store.has(1)
    store.release()
    expect(await collector.ended).toMatchObject({ code: 0 })
    expect(collector.acks).toEqual([1])
  })

  it("stops with everything written and tells collectors why", async () => {
    const stopping = await start()
    const collector = dial(stopping.address)
    collector.send(hello())
    collector.send(batch(1))
    await collector.acknowledged(1)
    expect(await stopping.stop(10_000)).toBe(true)
    expect(await collector.ended).toMatchObject({ code: 14, details: "the analyzer stops" })
    analyzer = undefined
  })

  it("stops within its grace whatever waits, and drops that unacknowledged", async () => {
    store.isHeld = true
    let analysed = 0
    const slow: Stages = { ...noStages, detectors: () => [{ name: "slow", observe: () => (analysed++, spin(20), []), tick: () => [] }] } // prettier-ignore
    const stopping = await start({ limits: { delivery: { outputs: 1 } } }, { stages: slow })
    const collector = dial(stopping.address)
    collector.send(hello())
    for (let seq = 1; seq <= 60; seq++) collector.send(batch(seq, { connections: connections([{}]) }))
    while (stopping.status().intake.messages < 30) await setImmediate()
    const before = analysed
    // The store takes nothing more, and 30 batches of 20 ms are more than the grace.
    expect(await stopping.stop(10)).toBe(false)
    analyzer = undefined
    expect(analysed - before).toBeLessThan(10)
    expect(stopping.status().intake).toEqual({ messages: 0, bytes: 0 })
    expect(await collector.ended).toMatchObject({ code: 14, details: "the analyzer stops" })
    expect(collector.acks).toEqual([])
  })

  it("takes what a quiet host sends before the rest of what another one has sent", async () => {
    store.isHeld = true
    const { address } = await start({ limits: { delivery: { outputs: 1 } } })
    const flooding = dial(address)
    flooding.send(hello())
    for (let seq = 1; seq <= 30; seq++) flooding.send(batch(seq, { connections: connections([{}]) }))
    while ((analyzer?.status().intake.messages ?? 0) < 20) await setImmediate()
    const quiet = dial(address)
    quiet.send(hello({ hostId: "quiet" }))
    quiet.send(batch(1))
    while (analyzer?.status().sessions.length !== 2) await setImmediate()
    const before = store.written.length
    store.release()
    await Promise.all([quiet.acknowledged(1), flooding.acknowledged(30)])
    const order = store.written.slice(before).map(({ host }) => host.hostId)
    // What the pipeline had in hand comes first.
    expect(order.indexOf("quiet")).toBeLessThan(4)
  })

  it("keeps on storing while another sink fails, and tells that sink once it can", async () => {
    const console = new HeldStore()
    console.failures = 3
    const { address } = await start({}, { stages: findingStages, sinks: [console] })
    const collector = dial(address)
    collector.send(hello())
    collector.send(
      batch(1, {
        processes: [process(3, 42, { argv: ["ssh", "-R", "8080:localhost:80", "far"] })],
        connections: connections([{ process: 3, remotePort: 22 }]),
      }),
    )
    await collector.acknowledged(1)
    await console.has(1)
    expect(console.written[0]?.findings).toMatchObject([{ class: "tunnel_intent" }])
    const counts = analyzer?.status().deliveries
    expect(counts).toMatchObject([{ counts: { failures: 0 } }, { counts: { failures: 3 } }])
  })

  it("costs one batch when a detector fails on it, and goes on", async () => {
    const failing: Stages = { ...noStages, detectors: () => [failsOn("bad")] }
    const { address } = await start({}, { stages: failing })
    const first = dial(address)
    first.send(hello())
    first.send(batch(1, { connections: connections([{ cookie: "bad" }]) }))
    expect(await first.ended).toMatchObject({ code: 13 })
    expect(first.acks).toEqual([])

    const again = dial(address)
    again.send(hello())
    again.send(batch(1, { connections: connections([{ cookie: "bad" }]) }))
    again.send(batch(2, { connections: connections([{ cookie: "a" }]) }))
    await again.acknowledged(2)
    expect(store.written.map(({ seq }) => seq)).toEqual([2])
    expect(analyzer?.status().rejected).toContainEqual(["analysis_failed", 1])
  })

  it("passes over what waits behind an unreadable message", async () => {
    store.isHeld = true
    const { address } = await start({ limits: { delivery: { outputs: 1 } } })
    const collector = dial(address)
    // The first is being written, the second waits for that, the third is in hand, the fourth in the intake.
    for (const message of [hello(), batch(1), batch(2), Buffer.from("rubbish"), batch(9)]) collector.send(message)
    while ((analyzer?.status().intake.messages ?? 0) < 1) await setImmediate()
    store.release()
    expect(await collector.ended).toMatchObject({ code: 3 })

    const other = dial(address)
    other.send(hello({ instance: "8" }))
    other.send(batch(1))
    await other.acknowledged(1)
    expect(store.written.map(({ seq }) => seq)).toEqual([1, 2, 1])
  })

  it("records what collectors send, and the recording replays to the same outputs", async () => {
    const record = join(folder, "recording")
    const { address } = await start({ record })
    const collector = dial(address)
    const records = connections([{ cookie: "a", process: 3 }])
    const messages = [hello(), batch(1, { processes: [process(3, 42)], connections: records }), batch(2)]
    for (const message of messages) collector.send(message)
    await collector.acknowledged(2)
    expect([...replay(recordedStreams(record), pipelineOptions(), () => undefined)]).toEqual(store.written)
  })
})
