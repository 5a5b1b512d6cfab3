import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { aRow, anOutput } from "../testing/outputs.js"
import { StoreSink } from "./store-sink.js"
import { startEngineServer } from "../testing/engine-server.js"
import type { EngineServer } from "../testing/engine-server.js"
import { openStore } from "./store.js"
import type { Store } from "./store.js"
import { startUs } from "../testing/time.js"
import { aFinding, anIncident } from "../testing/findings.js"

let folder: string
let engine: EngineServer
let store: Store
let sink: StoreSink

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "backflow-server-"))
  engine = await startEngineServer(folder)
  store = await open()
  sink = new StoreSink(store, () => startUs)
})

afterEach(async () => {
  await store.close()
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(): Promise<Store> {
  return openStore({
    target: { kind: "server", url: engine.url, username: "default", password: "" },
    database: "backflow",
    limits: { memoryBytes: 1_000_000_000, querySeconds: 30 },
    retention: { connectionDays: 3_650, findingDays: 365, rollupDays: 400 },
  })
}

const everything = { limit: 100 }

describe("a server", () => {
  it("gets the same rows through the same calls", async () => {
    const text = `'; \\ {a:b}\n\u{1f511}`
    const process = {
      pid: 7,
      startNs: "18446744073709551",
      exe: text,
      comm: "x",
      argv: [text, ""],
      uid: 1,
      containerId: "",
    }
    const row = { ...aRow({ cookie: "ffffffffffffffff", bytesSent: Number.MAX_SAFE_INTEGER }), process }
    await sink.write([anOutput(1, { connections: [row], findings: [aFinding()], incidents: [anIncident()] })])
    expect(await store.queries.connections(everything)).toMatchObject([
      {
        cookie: "ffffffffffffffff",
        bytes_sent: Number.MAX_SAFE_INTEGER,
        exe: text,
        argv: [text, ""],
        remote: "203.0.113.9",
      },
    ])
    expect(await store.queries.findings({ ...everything, severity: "high", sinceUs: startUs })).toMatchObject([
      { id: aFinding().id },
    ])
    expect(await store.queries.incidents(everything)).toMatchObject([{ id: anIncident().id }])
  })

  it("is told every setting of an insert in its text, where both engines read it", async () => {
    await sink.write([anOutput(1)])
    const insert = engine.received.find(({ query }) => query.startsWith("INSERT INTO connections"))
    expect(insert?.query).toMatch(/SETTINGS async_insert = 0, .*insert_deduplication_token = '[0-9a-f]{64}'/)
    expect(insert?.settings).not.toHaveProperty("insert_deduplication_token")
  })

  it("that loses its answer is sent the same again, and keeps it once", async () => {
    const outputs = [anOutput(1), anOutput(2, { connections: [aRow({ cookie: "a" })] })]
    const insertsBefore = engine.received.length
    // A sink that does not ask how far the run is: its first request is the insert whose answer is lost.
    const lose = new StoreSink({ ...bound(store), durableSeq: () => Promise.resolve(0) }, () => startUs)
    engine.loseNextAnswer = true
    await expect(lose.write(outputs)).rejects.toThrow()
    await lose.write(outputs)
    const inserts = engine.received.slice(insertsBefore).map(({ query }) => query)
    expect(inserts).toHaveLength(2)
    expect(inserts[0]).toBe(inserts[1])
    expect(await store.durableSeq(anOutput(1).host, 0)).toBe(2)
    expect(await store.queries.connections(everything)).toHaveLength(2)
  })

  it.each([
    [{ status: 503, text: "overloaded" }],
    [{ status: 500, text: "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 26.7)" }],
    [
      {
        status: 500,
        text: "Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY) (version 26.7)",
      },
    ],
  ])("that refuses with %j is told as a failed write, and is written to once it takes", async (refusal) => {
    engine.refuse = refusal
    await expect(sink.write([anOutput(1)])).rejects.toThrow()
    engine.refuse = undefined
    await sink.write([anOutput(1)])
    expect(await store.queries.connections(everything)).toHaveLength(1)
  })

  it("that is not there is told with its address and without its password", async () => {
    const target = { kind: "server", url: "http://127.0.0.1:9", username: "u", password: "secret" } as const
    const options = {
      database: "backflow",
      limits: { memoryBytes: 1, querySeconds: 1 },
      retention: { connectionDays: 1, findingDays: 1, rollupDays: 400 },
    }
    await expect(openStore({ ...options, target })).rejects.toMatchObject({
      code: "store-unreachable",
      message: expect.stringMatching(
        /^The ClickHouse server at http:\/\/127.0.0.1:9 cannot be used: (?!.*secret)/,
      ) as string,
    })
  })
})

function bound(real: Store): Store {
  return {
    queries: real.queries,
    durableSeq: real.durableSeq.bind(real),
    insertConnections: real.insertConnections.bind(real),
    firstDetected: real.firstDetected.bind(real),
    findingVersions: real.findingVersions.bind(real),
    insertFindings: real.insertFindings.bind(real),
    insertIncidents: real.insertIncidents.bind(real),
    insertCouplings: real.insertCouplings.bind(real),
    insertHostReports: real.insertHostReports.bind(real),
    insertMetrics: real.insertMetrics.bind(real),
    enforceQuota: real.enforceQuota.bind(real),
    close: real.close.bind(real),
  }
}
