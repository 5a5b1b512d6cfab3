import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { anOutput } from "../../testing/outputs.js"
import { connect } from "../client/connect.js"
import type { StoreClients } from "../client/connect.js"
import { couplingPoints } from "./document-queries.js"
import { openStore } from "../store.js"
import type { Store } from "../store.js"
import { startUs } from "../../testing/time.js"
import { aHost } from "../../testing/hosts.js"
import { aFinding, anIncident, idOf } from "../../testing/findings.js"
import { aCouplingPoint } from "../../testing/couplings.js"

const limits = { memoryBytes: 1_000_000_000, querySeconds: 30 }
const first = new Map([[aFinding().id, startUs]])
const other = idOf(1)
let folder: string
let store: Store
let sessions: StoreClients

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "backflow-documents-"))
  const target = { kind: "embedded", folder } as const
  const retention = { connectionDays: 3_650, findingDays: 3_650, rollupDays: 3_650 }
  store = await openStore({ target, database: "backflow", limits, retention })
  sessions = await connect(target, "backflow", limits)
})

afterEach(async () => {
  await Promise.all([store.close(), sessions.reader.close(), sessions.writer.close()])
  rmSync(folder, { recursive: true, force: true })
})

const key = { hostId: aHost().hostId, bootId: aHost().bootId, cookie: aCouplingPoint().cookie }

describe("one finding", () => {
  it("is its newest version, whichever was written last", async () => {
    await store.insertFindings([aFinding({ version: 2, detectedAtUs: startUs + 1 })], first, "b")
    await store.insertFindings([aFinding({ version: 1 })], first, "a")
    expect(await store.queries.finding(aFinding().id)).toMatchObject({ id: aFinding().id, version: 2 })
  })

  it.each([other, "no id", "", "'; DROP TABLE findings"])("is undefined for %j", async (id) => {
    await store.insertFindings([aFinding()], first, "a")
    expect(await store.queries.finding(id)).toBeUndefined()
    expect(await store.queries.incident(id)).toBeUndefined()
    expect(await store.queries.incidentOf(id)).toBeUndefined()
  })
})

describe("one incident", () => {
  it("is found by its id and by a finding in its newest version", async () => {
    await store.insertIncidents([anIncident({ findings: [aFinding().id] })], "a")
    const grown = { version: 2, lastSeenUs: startUs + 1, findings: [aFinding().id, other] }
    await store.insertIncidents([anIncident(grown)], "b")
    expect(await store.queries.incident(anIncident().id)).toMatchObject({ version: 2 })
    expect(await store.queries.incidentOf(other)).toMatchObject({ id: anIncident().id, version: 2 })
  })
})

describe("what is open", () => {
  it("leaves out what was closed by a later version", async () => {
    await store.insertFindings([aFinding(), aFinding({ id: other })], first, "a")
    await store.insertFindings([aFinding({ version: 2, detectedAtUs: startUs + 1, status: "closed" })], first, "b")
    expect((await store.queries.openFindings(10)).map(({ id }) => id)).toEqual([other])
    await store.insertIncidents([anIncident(), anIncident({ id: other })], "c")
    await store.insertIncidents([anIncident({ version: 2, lastSeenUs: startUs + 1, status: "closed" })], "d")
    expect((await store.queries.openIncidents(10)).map(({ id }) => id)).toEqual([other])
    expect(await store.queries.openIncidents(0)).toEqual([])
  })
})

describe("a curve", () => {
  it("comes by channel and time, each point once however often it was written", async () => {
    const late = aCouplingPoint({ atUs: startUs + 1_500_000, forwardIn: 200 })
    const couplings = [
      late,
      aCouplingPoint({}),
      aCouplingPoint({ channel: "/run/x.sock" }),
      aCouplingPoint({ cookie: "00000000000000a2" }),
    ]
    await store.insertCouplings([anOutput(1, { couplings })], "a")
    await store.insertCouplings([anOutput(1, { couplings })], "b")
    const bytes = { forward_in: 116, forward_out: 79, backward_in: 206, backward_out: 244 }
    const at_ms = startUs / 1_000
    expect(await store.queries.coupling(key)).toEqual([
      { channel: "/run/x.sock", at_ms, ...bytes },
      { channel: "127.0.0.1:8000", at_ms, ...bytes },
      { channel: "127.0.0.1:8000", at_ms: at_ms + 1_500, ...bytes, forward_in: 200 },
    ])
  })

  it("that is long is thinned out evenly and keeps its last point", async () => {
    const couplings = Array.from({ length: 25 }, (_, i) => aCouplingPoint({ atUs: startUs + i * 1_000_000 }))
    await store.insertCouplings([anOutput(1, { couplings })], "a")
    const points = await couplingPoints(sessions.reader, key, 10)
    expect(points.map(({ at_ms }) => at_ms / 1_000 - startUs / 1e6)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24])
  })
})

it("metrics keep name, labels, value and moment, and a token counts once", async () => {
  const sample = {
    atMs: 1_795_413_600_123,
    source: "a",
    name: "backflow_x",
    labels: { sink: "k'a\u{1f511}" },
    value: 1.5,
  }
  for (const token of ["m-1", "m-1"])
    await store.insertMetrics([sample, { ...sample, name: "backflow_y", labels: {}, value: Number.NaN }], token)
  expect(await sessions.reader.rows("SELECT toString(at) AS at, source, name, labels, value FROM metrics")).toEqual([
    { at: "2026-11-23 06:00:00.123", source: "a", name: "backflow_x", labels: { sink: "k'a\u{1f511}" }, value: 1.5 },
    { at: "2026-11-23 06:00:00.123", source: "a", name: "backflow_y", labels: {}, value: 0 },
  ])
})
