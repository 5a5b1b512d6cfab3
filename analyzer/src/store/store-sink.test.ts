import { describe, expect, it } from "vitest"
import type { HostFacts } from "../domain/identity.js"
import type { Output } from "../domain/output.js"
import type { StoredConnection } from "./write/connection-row.js"
import type { Store } from "./store.js"
import { aRow, anOutput } from "../testing/outputs.js"
import { StoreSink } from "./store-sink.js"
import { startUs } from "../testing/time.js"
import { aHost } from "../testing/hosts.js"
import { aFinding, anIncident } from "../testing/findings.js"
import { aCouplingPoint } from "../testing/couplings.js"

/** Records its calls, in order. */
class FakeStore implements Store {
  readonly calls: string[] = []
  readonly tokens: string[] = []
  readonly lookUps: { host: HostFacts; sinceUs: number }[] = []
  durable = 0
  failures = 0
  readonly queries = {
    findings: () => Promise.resolve([]),
    incidents: () => Promise.resolve([]),
    connections: () => Promise.resolve([]),
    finding: () => Promise.resolve(undefined),
    incident: () => Promise.resolve(undefined),
    incidentOf: () => Promise.resolve(undefined),
    coupling: () => Promise.resolve([]),
    openIncidents: () => Promise.resolve([]),
    openFindings: () => Promise.resolve([]),
  }

  durableSeq(host: HostFacts, sinceUs: number): Promise<number> {
    this.lookUps.push({ host, sinceUs })
    return Promise.resolve(this.durable)
  }

  insertConnections(rows: readonly StoredConnection[], token: string): Promise<void> {
    const seqs = rows.map(({ output }) => output.seq)
    return this.#take(`connections ${[...new Set(seqs)].join(",")}`, token)
  }

  firstDetected(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map())
  }

  findingVersions(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map())
  }

  insertFindings(
    findings: readonly { id: string }[],
    _first: ReadonlyMap<string, number>,
    token: string,
  ): Promise<void> {
    return this.#take(`findings ${findings.length}`, token)
  }

  insertIncidents(incidents: readonly { id: string }[], token: string): Promise<void> {
    return this.#take(`incidents ${incidents.length}`, token)
  }

  insertCouplings(outputs: readonly Output[], token: string): Promise<void> {
    return this.#take(`couplings ${outputs.length}`, token)
  }

  insertHostReports(outputs: readonly Output[], token: string): Promise<void> {
    return this.#take(`host_reports ${outputs.length}`, token)
  }

  insertMetrics(samples: readonly unknown[], token: string): Promise<void> {
    return this.#take(`metrics ${samples.length}`, token)
  }

  enforceQuota(): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #take(call: string, token: string): Promise<void> {
    this.calls.push(call)
    this.tokens.push(token)
    if (this.failures === 0) return Promise.resolve()
    this.failures -= 1
    return Promise.reject(new Error("no answer"))
  }
}

const yesterday = [aRow({ observedUs: startUs - 86_400_000_000 })]
const many = (count: number) => Array.from({ length: count }, (_, i) => aRow({ cookie: i.toString(16) }))

function make() {
  const store = new FakeStore()
  return { store, sink: new StoreSink(store, () => startUs) }
}

describe("an insert", () => {
  it("joins small batches", async () => {
    const { store, sink } = make()
    await sink.write([anOutput(1), anOutput(2), anOutput(3)])
    expect(store.calls).toEqual(["connections 1,2,3"])
  })

  it("stays within one day, because only a partition is written whole", async () => {
    const { store, sink } = make()
    await sink.write([
      anOutput(1, { connections: yesterday }),
      anOutput(2),
      anOutput(3),
      anOutput(4, { connections: yesterday }),
    ])
    expect(store.calls).toEqual(["connections 1", "connections 2,3", "connections 4"])
  })

  it("is full at 20,000 rows, and takes a larger batch alone", async () => {
    const { store, sink } = make()
    await sink.write([15_000, 5_000, 1, 30_000].map((rows, i) => anOutput(i + 1, { connections: many(rows) })))
    expect(store.calls).toEqual(["connections 1,2", "connections 3", "connections 4"])
  })

  it("comes after the findings of its batches, which it marks as durable", async () => {
    const { store, sink } = make()
    await sink.write([anOutput(1, { findings: [aFinding()], incidents: [anIncident()] })])
    expect(store.calls).toEqual(["findings 1", "incidents 1", "connections 1"])
  })

  it("has the same token when the write is repeated, and another for other batches", async () => {
    const { store, sink } = make()
    store.failures = 1
    const outputs = [anOutput(1), anOutput(2)]
    await expect(sink.write(outputs)).rejects.toThrow("no answer")
    await sink.write(outputs)
    await sink.write([anOutput(3)])
    expect(store.calls).toEqual(["connections 1,2", "connections 1,2", "connections 3"])
    expect(store.tokens[0]).toBe(store.tokens[1])
    expect(store.tokens[2]).not.toBe(store.tokens[0])
  })

  it("is not repeated when only a later one of the same write failed", async () => {
    const { store, sink } = make()
    const outputs = [anOutput(1, { connections: yesterday }), anOutput(2)]
    store.failures = 0
    const insert = store.insertConnections.bind(store)
    let isFirst = true
    store.insertConnections = (rows, token) => {
      if (!isFirst) store.failures = 1
      isFirst = false
      return insert(rows, token)
    }
    await expect(sink.write(outputs)).rejects.toThrow("no answer")
    store.insertConnections = insert
    await sink.write(outputs)
    expect(store.calls).toEqual(["connections 1", "connections 2", "connections 2"])
  })
})

describe("what the store holds of a collector run", () => {
  it("is looked up once a run and not written again", async () => {
    const { store, sink } = make()
    store.durable = 5
    await sink.write([anOutput(4)])
    await sink.write([anOutput(5), anOutput(6)])
    await sink.write([anOutput(7)])
    expect(store.lookUps).toHaveLength(1)
    expect(store.calls).toEqual(["connections 6", "connections 7"])
  })

  it("is looked up as of the moment that the batch names, however long ago", async () => {
    const { store, sink } = make()
    const longAgo = startUs - 10 * 86_400_000_000
    await sink.write([anOutput(1, { connections: [aRow({ observedUs: longAgo })] })])
    await sink.write([anOutput(1, { connections: [aRow({ observedUs: 9e18 })], host: aHost({ instance: "b" }) })])
    expect(store.lookUps.map(({ sinceUs }) => sinceUs)).toEqual([longAgo, startUs])
  })

  it("does not hide findings, which the analyzer makes anew from batches sent again", async () => {
    const { store, sink } = make()
    store.durable = 9
    await sink.write([anOutput(3, { findings: [aFinding()] })])
    expect(store.calls).toEqual(["findings 1"])
  })
})

describe("curves and reports", () => {
  const aReport = { atUs: startUs, liveConnections: 3, processes: 40, evicted: 0 }

  it("are written before the connections that mark their batch as durable, and only where there are any", async () => {
    const { store, sink } = make()
    await sink.write([anOutput(1, { couplings: [aCouplingPoint()] }), anOutput(2, { report: aReport }), anOutput(3)])
    expect(store.calls).toEqual(["couplings 1", "host_reports 1", "connections 1,2,3"])
    expect(new Set(store.tokens).size).toBe(3)
  })
})
