import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Delivery, defaultDeliveryLimits } from "../sinks/delivery.js"
import { loopbackCertificate } from "../testing/loopback-certificate.js"
import { aRow, anOutput } from "../testing/outputs.js"
import { StoreSink } from "./store-sink.js"
import { startEngineServer } from "../testing/engine-server.js"
import type { EngineServer } from "../testing/engine-server.js"
import { openStore } from "./store.js"
import type { Store } from "./store.js"
import { startUs } from "../testing/time.js"
import { aFinding, idOf } from "../testing/findings.js"
import { noLog } from "../testing/log.js"

const limits = { ...defaultDeliveryLimits, rows: 20, delayMs: 1, outputs: 40, retryMs: 1, maxRetryMs: 20 }

let folder: string
let engine: EngineServer
let store: Store

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "backflow-outage-"))
  engine = await startEngineServer(folder)
  store = await open(engine.url)
})

afterEach(async () => {
  await store.close()
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(url: string, ca?: Buffer): Promise<Store> {
  return openStore({
    target: { kind: "server", url, username: "default", password: "", ca },
    database: "backflow",
    limits: { memoryBytes: 1_000_000_000, querySeconds: 30 },
    retention: { connectionDays: 3_650, findingDays: 365, rollupDays: 400 },
  })
}

/** Batch `seq`: two connections, and a finding in every tenth. */
function batch(seq: number) {
  const rows = ["a", "b"].map((end) => aRow({ cookie: `${seq.toString(16)}${end}` }, "closed"))
  const id = idOf(seq)
  return anOutput(seq, { connections: rows, findings: seq % 10 === 0 ? [aFinding({ id })] : [] })
}

const cookies = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ["a", "b"].map((end) => `${(from + i).toString(16)}${end}`))
    .flat()
    .map((cookie) => cookie.padStart(16, "0"))
    .sort()

const stored = async () => (await store.queries.connections({ limit: 10_000 })).map(({ cookie }) => cookie).sort()

/** Every insert that came more than once came with the same bytes. */
function repeatsAgree(): number {
  const bodies = new Map<string, Set<string>>()
  let repeats = 0
  for (const { query, body } of engine.received) {
    const token = /insert_deduplication_token = '([^']+)'/.exec(query)?.[1]
    if (token === undefined) continue
    const known = bodies.get(token) ?? new Set<string>()
    if (known.size > 0) repeats += 1
    bodies.set(token, known.add(body))
  }
  expect([...bodies.values()].filter(({ size }) => size > 1)).toEqual([])
  return repeats
}

describe("a stream of batches into a server that has a bad day", () => {
  it("is in the store once and whole, and every repeat has the bytes and the token of the first try", async () => {
    const delivery = new Delivery(new StoreSink(store, () => startUs), noLog, limits)
    engine.faults.push("lost answer", "reset", "overloaded", "lost answer", "read-only", "slow", "reset", "lost answer")
    const durable: number[] = []
    for (let seq = 1; seq <= 200; seq += 1) {
      await delivery.room()
      delivery.add(batch(seq), () => durable.push(seq))
    }
    await delivery.flush()
    expect(durable).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    expect(await stored()).toEqual(cookies(1, 200))
    expect(await store.queries.findings({ limit: 100 })).toHaveLength(20)
    expect(delivery.counts.failures).toBe(7)
    // Findings that were written before the connections of their batch failed come again with them.
    expect(repeatsAgree()).toBeGreaterThanOrEqual(7)
  })

  it("waits while the server is down, takes no more than has room, and goes on when it is back", async () => {
    const delivery = new Delivery(new StoreSink(store, () => startUs), noLog, limits)
    delivery.add(batch(1), () => undefined)
    await delivery.flush()
    await engine.pause()
    let taken = 1
    const feed = (async () => {
      for (let seq = 2; seq <= 120; seq += 1) {
        await delivery.room()
        delivery.add(batch(seq), () => undefined)
        taken = seq
      }
    })()
    await expect.poll(() => delivery.counts.failures).toBeGreaterThan(3)
    // What waits is bounded, and the rest waits where it came from.
    expect(taken).toBeLessThan(60)
    await engine.resume()
    await feed
    await delivery.flush()
    expect(await stored()).toEqual(cookies(1, 120))
    repeatsAgree()
  })

  it("counts a repeated insert once in the hourly sums too", async () => {
    const sink = new StoreSink({ ...bound(store), durableSeq: () => Promise.resolve(0) }, () => startUs)
    engine.faults.push("lost answer")
    const outputs = [batch(1), batch(2)]
    await expect(sink.write(outputs)).rejects.toThrow()
    await sink.write(outputs)
    const answer = await fetch(`${engine.url}/?database=backflow`, {
      method: "POST",
      body: "SELECT uniqMerge(connections), sum(bytes_sent) FROM outbound_hourly",
    })
    const sent = [...outputs].flatMap(({ connections }) => connections.map(({ connection }) => connection.bytesSent))
    expect((await answer.text()).trim()).toBe(`4\t${sent.reduce((sum, bytes) => sum + bytes, 0)}`)
  })
})

describe("a server with TLS", () => {
  it("is trusted by the authority that the configuration names, and by no other", async () => {
    const { key, cert } = loopbackCertificate(folder)
    await store.close()
    await engine.close()
    engine = await startEngineServer(folder, { key, cert })
    await expect(open(engine.url)).rejects.toMatchObject({ code: "store-unreachable" })
    store = await open(engine.url, cert)
    await new StoreSink(store, () => startUs).write([batch(1)])
    expect(await stored()).toEqual(cookies(1, 1))
  })
})

/** The methods of a class instance as an object that can be spread. */
function bound(real: Store): Store {
  return new Proxy(real, {
    ownKeys: () => Object.getOwnPropertyNames(Object.getPrototypeOf(real)),
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? (value.bind(target) as unknown) : value
    },
  })
}
