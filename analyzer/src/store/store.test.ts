import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { aRow, anOutput } from "../testing/outputs.js"
import { StoreSink } from "./store-sink.js"
import { connect } from "./client/connect.js"
import { openStore } from "./store.js"
import type { Store, StoreOptions } from "./store.js"
import { startUs } from "../testing/time.js"
import { aHost } from "../testing/hosts.js"
import { aRowProcess } from "../testing/processes.js"
import { aFinding, anIncident, idOf } from "../testing/findings.js"

const limits = { memoryBytes: 1_000_000_000, querySeconds: 30 }
const everything = { limit: 1_000 }
let folder: string
let options: StoreOptions
let store: Store
let sink: StoreSink

async function open(): Promise<void> {
  store = await openStore(options)
  sink = new StoreSink(store, () => startUs)
}

async function look<Row>(select: string): Promise<Row[]> {
  const { reader, writer } = await connect(options.target, options.database, limits)
  const rows = await reader.rows<Row>(select)
  await Promise.all([reader.close(), writer.close()])
  return rows
}

const recordCount = async () => Number((await look<{ n: string }>("SELECT count() AS n FROM connections"))[0]?.n)

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "backflow-store-"))
  options = {
    target: { kind: "embedded", folder },
    database: "backflow",
    limits,
    // Samples lie in the past of whatever day the tests run.
    retention: { connectionDays: 3_650, findingDays: 365, rollupDays: 400 },
  }
  await open()
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

describe("connections", () => {
  it("keep every field", async () => {
    const exchanges = {
      remoteLed: 1,
      remoteLedAnswered: 2,
      localLed: 3,
      localLedAnswered: 4,
      localReplyLog2: 5,
      remoteReplyLog2: 6,
      sameSizeAnswers: 7,
      strictAlternations: 8,
      answerBytes: 9,
    }
    await sink.write([anOutput(1, { connections: [aRow({ cookie: "ffffffffffffffff", exchanges })] })])
    const [row] = await look<Record<string, unknown>>("SELECT * FROM connections_current")
    expect(row).toMatchObject({
      host_id: aHost().hostId,
      host_name: "build-7",
      cookie: "18446744073709551615",
      seq: "1",
      reason: "moved",
      closed: "open",
      protocol: "tcp",
      initiator: "local",
      local_address: "::ffff:10.1.2.3",
      remote_address: "::ffff:203.0.113.9",
      remote_port: 443,
      opened_at: "2026-11-23 05:59:00.000000",
      observed_at: "2026-11-23 06:00:00.000000",
      bytes_sent: "4096",
      established: true,
      ssh_local_client: true,
      ssh_remote_client: false,
      start_ns: "123456789",
      argv: aRowProcess().argv,
      remote_led: 1,
      remote_led_answered: 2,
      local_led: 3,
      local_led_answered: 4,
      local_reply_log2: "5",
      remote_reply_log2: "6",
      same_size_answers: 7,
      strict_alternations: 8,
      answer_bytes: "9",
    })
  })

  it("show one row each, the final record before any later interim one", async () => {
    const final = aRow({ closed: "closed", bytesSent: 9_000 }, "closed")
    await sink.write([anOutput(1, { connections: [aRow({}, "opened")] }), anOutput(2, { connections: [final] })])
    await sink.write([anOutput(3, { connections: [aRow({ observedUs: startUs + 1, bytesSent: 8_000 })] })])
    await sink.write([anOutput(4, { connections: [aRow({ cookie: "00000000000003e9" })] })])
    const rows = await store.queries.connections(everything)
    expect(rows.map(({ cookie, closed, bytes_sent }) => ({ cookie, closed, bytes_sent }))).toEqual([
      { cookie: "00000000000003e8", closed: "closed", bytes_sent: 9_000 },
      { cookie: "00000000000003e9", closed: "open", bytes_sent: 4_096 },
    ])
  })

  it("are told apart by boot and host", async () => {
    const otherHost = aHost({ hostId: "another" })
    const otherBoot = aHost({ bootId: "7d7a0f7e-0000-4000-8000-000000000000", instance: "b" })
    await sink.write([anOutput(1), anOutput(1, { host: otherHost }), anOutput(1, { host: otherBoot })])
    expect(await store.queries.connections(everything)).toHaveLength(3)
  })

  it.each([
    ["a batch from 1970", { observedUs: 5, openedUs: 0, lastMovedUs: -3 }],
    ["a batch from the year 5000", { observedUs: 95_617_584_000_000_000, openedUs: 95_617_584_000_000_000 }],
    ["totals that are no numbers", { bytesSent: Number.NaN, bytesReceived: Number.POSITIVE_INFINITY }],
    ["totals beyond 2^53", { bytesSent: 2 ** 63, bytesReceived: -1 }],
    ["no readable address", { local: { address: "", port: 0 }, remote: { address: "10.0.0.1; DROP", port: 65_535 } }],
    ["no cookie", { cookie: "" }],
  ])("with %s are kept in the partition of the day", async (_what, changes) => {
    await sink.write([anOutput(1, { connections: [aRow(changes)] })])
    expect(await store.queries.connections(everything)).toHaveLength(1)
    const [row] = await look<{ day: string }>("SELECT toDate(batch_at) AS day FROM connections")
    expect(row?.day).toBe("2026-11-23")
  })

  it.each([
    ["quotes and backslashes", `'; DROP TABLE connections; -- \\' "\`\\`],
    ["line ends and NUL", "a\n\r\0\u2028b"],
    ["terminal control", "\u001b]0;owned\u0007\u001b[2J"],
    ["placeholders", "{host:String} ${x} FORMAT SETTINGS"],
    ["a million characters", "x".repeat(1_000_000)],
  ])("keep an argv of %s as it is", async (_what, text) => {
    const row = { ...aRow(), process: { ...aRowProcess(), argv: [text], exe: text.slice(0, 100) } }
    await sink.write([anOutput(1, { connections: [row] })])
    const [stored] = await store.queries.connections(everything)
    expect(stored?.argv).toEqual([text])
    expect(stored?.exe).toBe(text.slice(0, 100))
  })

  it("replace half of a surrogate pair, which the engine would refuse", async () => {
    await sink.write([
      anOutput(1, { connections: [{ ...aRow(), process: { ...aRowProcess(), argv: ["a\ud800b", "\u{1f511}"] } }] }),
    ])
    const [stored] = await store.queries.connections(everything)
    expect(stored?.argv).toEqual(["a\ufffdb", "\u{1f511}"])
  })

  it("are listed by time and by being open", async () => {
    const closed = aRow({ cookie: "01", closed: "vanished", observedUs: startUs - 10 })
    const early = aRow({ cookie: "02", observedUs: startUs - 20 })
    await sink.write([anOutput(1, { connections: [aRow({ cookie: "03" }), closed, early] })])
    const cookies = async (filter: object) =>
      (await store.queries.connections({ limit: 10, ...filter })).map(({ cookie }) => Number(cookie))
    expect(await cookies({})).toEqual([3, 1, 2])
    expect(await cookies({ sinceUs: startUs - 10 })).toEqual([3, 1])
    expect(await cookies({ open: true })).toEqual([3, 2])
    expect(await cookies({ limit: 1 })).toEqual([3])
  })
})

describe("batches sent again", () => {
  it("add nothing within one process", async () => {
    const outputs = [anOutput(1), anOutput(2)]
    await sink.write(outputs)
    await sink.write(outputs)
    expect(await recordCount()).toBe(2)
  })

  it("add nothing after a restart that joins them otherwise", async () => {
    await sink.write([anOutput(1), anOutput(2), anOutput(3)])
    await store.close()
    await open()
    await sink.write([anOutput(2)])
    await sink.write([anOutput(3), anOutput(4)])
    expect(await recordCount()).toBe(4)
  })

  it("add nothing when the clock of the host was set back in between", async () => {
    const earlier = [aRow({ observedUs: startUs - 3_600_000_000 })]
    await sink.write([anOutput(1), anOutput(2, { connections: earlier })])
    await store.close()
    await open()
    await sink.write([anOutput(1)])
    await sink.write([anOutput(2, { connections: earlier })])
    expect(await recordCount()).toBe(2)
  })

  it("add nothing when the first insert arrived and its answer did not", async () => {
    // What an earlier write leaves behind when the process never heard of it: the same outputs through a new sink.
    const outputs = [anOutput(1), anOutput(2)]
    const deaf: Store = { ...bound(store), durableSeq: () => Promise.resolve(0) }
    await new StoreSink(deaf, () => startUs).write(outputs)
    await new StoreSink(deaf, () => startUs).write(outputs)
    expect(await recordCount()).toBe(2)
  })

  it("of another run of the collector are new", async () => {
    await sink.write([anOutput(1)])
    await sink.write([anOutput(1, { host: aHost({ instance: "00000000000000a2" }) })])
    expect(await recordCount()).toBe(2)
  })
})

describe("findings", () => {
  it("show the version decided last, whichever was written last", async () => {
    const versions = [1, 2, 3].map((version) =>
      aFinding({ version, detectedAtUs: startUs + version, score: version / 10 }),
    )
    for (const index of [0, 2, 1])
      await sink.write([anOutput(index + 1, { findings: versions.slice(index, index + 1) })])
    const found = await store.queries.findings(everything)
    expect(found.map(({ version, score }) => ({ version, score }))).toEqual([{ version: 3, score: 0.3 }])
  })

  it("keep one sort key over months, in a new process too", async () => {
    await sink.write([anOutput(1, { findings: [aFinding()] })])
    await store.close()
    await open()
    const monthsLater = startUs + 90 * 86_400_000_000
    await sink.write([anOutput(2, { findings: [aFinding({ version: 2, detectedAtUs: monthsLater })] })])
    expect(await look("SELECT DISTINCT toDate(first_detected_at) AS day FROM findings")).toEqual([
      { day: "2026-11-23" },
    ])
    expect(await look("SELECT version FROM findings FINAL")).toEqual([{ version: 2 }])
  })

  it("tell their last versions to the next run, the latest first", async () => {
    const other = aFinding({ id: idOf(1), version: 7, detectedAtUs: startUs + 1 })
    await sink.write([anOutput(1, { findings: [aFinding(), aFinding({ version: 2 }), other] })])
    expect(await store.findingVersions(10)).toEqual(new Map([[other.id, 7], [aFinding().id, 2]])) // prettier-ignore
    expect([...(await store.findingVersions(1)).keys()]).toEqual([other.id])
  })

  it("are listed by severity, class and time", async () => {
    const low = aFinding({ id: idOf(1), severity: "low", class: "inverted_flow" })
    const old = aFinding({ id: idOf(2), lastSeenUs: startUs - 7_200_000_000 })
    await sink.write([anOutput(1, { findings: [aFinding(), low, old] })])
    const count = async (filter: object) => (await store.queries.findings({ limit: 10, ...filter })).length
    expect(await count({})).toBe(3)
    expect(await count({ severity: "medium" })).toBe(2)
    expect(await count({ class: "inverted_flow" })).toBe(1)
    expect(await count({ sinceUs: startUs - 3_600_000_000 })).toBe(2)
    expect(await count({ severity: "medium", sinceUs: startUs - 3_600_000_000 })).toBe(1)
  })

  it("come back as they were written", async () => {
    const summary = `ssh "a\\b'\n\ud83d\udd11 lets in`
    await sink.write([anOutput(1, { findings: [aFinding({ summary })], incidents: [anIncident({ summary })] })])
    const [finding] = await store.queries.findings(everything)
    expect(finding).toMatchObject({
      summary,
      detected_at: "2026-11-23T06:00:00.000000000Z",
      connection: { bytes_sent: 4_096 },
    })
    const [incident] = await store.queries.incidents(everything)
    expect(incident).toMatchObject({ summary, findings: [aFinding().id] })
  })

  it("of a recording from years ago are kept for their time", async () => {
    const longAgo = { firstSeenUs: 1e15, lastSeenUs: 1e15, detectedAtUs: 1e15 }
    await sink.write([anOutput(1, { findings: [aFinding(longAgo)], incidents: [anIncident(longAgo)] })])
    expect(await store.queries.findings(everything)).toHaveLength(1)
    expect(await store.queries.incidents(everything)).toHaveLength(1)
  })

  it("need no connection", async () => {
    const connection = {
      ...aFinding().connection,
      cookie: "",
      local: { address: "", port: 0 },
      remote: { address: "", port: 0 },
    }
    await sink.write([anOutput(1, { connections: [], findings: [aFinding({ connection })] })])
    expect((await store.queries.findings(everything))[0]?.connection).toBeNull()
  })
})

describe("room on disk", () => {
  it("is made by dropping the oldest days, never the newest", async () => {
    const day = 86_400_000_000
    for (const age of [0, 1, 2]) {
      const clock = () => startUs - age * day
      const rows = [aRow({ observedUs: startUs - age * day })]
      await new StoreSink(store, clock).write([
        anOutput(9 - age, { connections: rows, host: aHost({ instance: String(age) }) }),
      ])
    }
    expect(await store.enforceQuota(1)).toEqual(["2026-11-22", "2026-11-21"])
    expect(await store.enforceQuota(10_000_000)).toEqual([])
    expect(await look("SELECT DISTINCT toDate(batch_at) AS day FROM connections")).toEqual([{ day: "2026-11-23" }])
  })
})

/** The methods of a class instance as an object that can be spread. */
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
