import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { hosts } from "../fixtures/story-cast.js"
import { ids, story } from "../fixtures/story.js"
import { seed, temporaryStore } from "../fixtures/seeded-store.js"
import type { TemporaryStore } from "../fixtures/seeded-store.js"
import { endSeconds, statementCases } from "../fixtures/statement-cases.js"
import type { DashboardJson } from "../plugin/dashboard-shape.js"
import { openingValues, rangeBefore, resolveStatement } from "../plugin/statements.js"
import type { Statement } from "../plugin/statements.js"
import type { Values } from "../plugin/interpolate.js"

/** Where a dashboard has one host and no "All", Grafana chooses the first. */
const valuesOf = (dashboard: DashboardJson, chosen: Values = {}) =>
  openingValues(dashboard, { ...(dashboard.uid === "backflow-host" ? { host: hosts.train.hostId } : {}), ...chosen })

type Row = Readonly<Record<string, unknown>>
let temporary: TemporaryStore

const run = (dashboard: DashboardJson, statement: Statement, from = dashboard.time.from, chosen: Values = {}) =>
  temporary.session.rows<Row>(
    resolveStatement(statement.sql, rangeBefore(endSeconds, from, statement.panel), valuesOf(dashboard, chosen)),
  )

/** The rows of a panel, by dashboard and title. Numbers come as text where they may pass 2^53. */
async function rowsOf(
  uid: string,
  place: string,
  options: { refId?: string; from?: string; chosen?: Values } = {},
): Promise<Row[]> {
  const found = statementCases.find(
    ([, , statement]) =>
      statement.dashboard === uid &&
      statement.place === place &&
      (options.refId === undefined || statement.refId === options.refId),
  )
  if (found === undefined) throw new Error(`no "${place}" in ${uid}`)
  const [, dashboard, statement] = found
  return run(dashboard, statement, options.from, options.chosen)
}

const numbers = (rows: readonly Row[]) =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])))
const total = (rows: readonly Row[], column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0)

beforeAll(async () => {
  temporary = await temporaryStore()
})

afterAll(async () => {
  await temporary.close()
})

describe("on empty tables", () => {
  it.each(statementCases)("%s shows nothing", async (_, dashboard, statement) => {
    const rows = await run(dashboard, statement)
    expect(rows.length).toBeLessThanOrEqual(statement.panel?.type === "stat" ? 1 : 0)
    for (const value of rows.flatMap((row) => Object.values(row))) expect(Number(value)).toBe(0)
  })
})

describe("on a day with known answers", () => {
  beforeAll(async () => {
    await seed(temporary.store, story(endSeconds * 1_000_000))
  })

  describe.each(statementCases)("%s", (_, dashboard, statement) => {
    it("has columns of the types that its panel draws", async () => {
      const sql = resolveStatement(
        statement.sql,
        rangeBefore(endSeconds, dashboard.time.from, statement.panel),
        valuesOf(dashboard),
      )
      const columns = await temporary.session.rows<{ name: string; type: string }>(`DESCRIBE (${sql})`)
      const types = columns.map(({ type }) => type.replace(/^Nullable\((.*)\)$/, "$1"))
      const isNumber = (type: string | undefined) => /^U?Int\d+$|^Float64$/.test(type ?? "")
      if (statement.panel?.type === "timeseries" || statement.kind === "annotation") {
        expect(columns[0]?.name).toBe("time")
        expect(types[0]).toMatch(/^DateTime/)
      }
      if (statement.panel?.type === "timeseries") {
        const labels = columns.slice(1).filter(({ name }) => name === "name").length
        expect(types.slice(1, 1 + labels).filter((type) => !/String/.test(type))).toEqual([])
        expect(types.slice(1 + labels).filter((type) => !isNumber(type))).toEqual([])
        expect(types.length).toBeGreaterThan(1 + labels)
      }
      if (statement.panel?.type === "stat") expect(types.filter((type) => !isNumber(type))).toEqual([])
      if (statement.panel?.type === "barchart")
        expect([/String/.test(types[0] ?? ""), isNumber(types[1])]).toEqual([true, true])
      // What the plugin cannot turn into fields of a table.
      expect(types.filter((type) => /^(Array|Tuple|Map|IPv6|UUID|AggregateFunction|Bool)/.test(type))).toEqual([])
    })

    it.each(["now-1h", "now-24h", "now-7d"])("has something to show from %s on", async (from) => {
      const rows = await run(dashboard, statement, from)
      if (!quietLastHour(statement) || from !== "now-1h") expect(rows.length).toBeGreaterThan(0)
    })

    it("takes one value, several, and none that exists", async () => {
      const variables = dashboard.templating.list
        .filter(({ type, multi }) => type !== "datasource" && multi === true)
        .map(({ name }) => name)
      for (const value of ["a1", ["a1", "b2"], "o'neill"]) {
        await expect(
          run(
            dashboard,
            statement,
            "now-24h",
            Object.fromEntries(variables.map((name) => [name, value === "a1" && name !== "host" ? "high" : value])),
          ),
        ).resolves.toBeDefined()
      }
    })
  })

  it("shows collectors, rows and counters in the last five minutes", async () => {
    for (const [uid, place] of [
      ["backflow-overview", "Hosts that report"],
      ["backflow-overview", "Lost, shed and rejected"],
      ["backflow-pipeline", "Batches written"],
      ["backflow-pipeline", "Outputs that wait"],
      ["backflow-pipeline", "Rows stored"],
      ["backflow-ways-in", "Live ways in"],
      ["backflow-host", "Live connections and processes"],
    ] as const) {
      expect((await rowsOf(uid, place, { from: "now-5m" })).length, place).toBeGreaterThan(0)
    }
  })

  it("counts incidents, findings and hosts by their last state", async () => {
    expect(numbers(await rowsOf("backflow-overview", "Incidents"))).toEqual([{ "open incidents": 1 }])
    expect(numbers(await rowsOf("backflow-overview", "Open findings, medium and above"))).toEqual([
      { "open findings": 3 },
    ])
    expect(numbers(await rowsOf("backflow-overview", "Approved ways in"))).toEqual([{ expected: 1 }])
    expect(numbers(await rowsOf("backflow-overview", "Hosts"))).toEqual([{ reporting: 3, silent: 1 }])
    expect(total(await rowsOf("backflow-overview", "New findings by class"), "findings")).toBe(4)
    expect(total(await rowsOf("backflow-overview", "New findings by severity"), "findings")).toBe(4)
    expect(
      total(
        await rowsOf("backflow-overview", "New findings by severity", { chosen: { severity: "critical" } }),
        "findings",
      ),
    ).toBe(1)
    expect(await rowsOf("backflow-overview", "Silent hosts")).toMatchObject([{ host: "edge-1", "silent for": "7200" }])
  })

  it("counts what was lost in the range, and not before", async () => {
    const day = { lost: 12, shed: 20, rejected: 1 }
    expect(numbers(await rowsOf("backflow-overview", "Lost in this range"))).toEqual([day])
    expect(numbers(await rowsOf("backflow-overview", "Lost in this range", { from: "now-1h" }))).toEqual([
      { lost: 0, shed: 0, rejected: 0 },
    ])
    const curve = await rowsOf("backflow-overview", "Lost, shed and rejected")
    expect({
      lost: total(curve, "lost in the kernel"),
      shed: total(curve, "shed by collectors"),
      rejected: total(curve, "rejected"),
    }).toEqual(day)
    const hour = await rowsOf("backflow-overview", "Lost, shed and rejected", { from: "now-1h" })
    expect(total(hour, "lost in the kernel")).toBe(0)
  })

  it("tells who reached what through which way in", async () => {
    expect(await rowsOf("backflow-ways-in", "Live ways in")).toMatchObject([
      {
        host: "build-7",
        "far side": "203.0.113.9:443",
        age: "5340",
        touched: "10.0.0.5:5432, 127.0.0.1:8000",
        "carried in": "120000",
        "carried out": "612000",
        id: ids.tunnel,
      },
      { host: "gpu-12", status: "expected", touched: "" },
    ])
    const past = await rowsOf("backflow-ways-in", "Past ways in")
    expect(past.map(({ id }) => id).sort()).toEqual([ids.shell, ids.intent, ids.inversion].sort())
    expect(past.map((row) => row["far side"]).sort()).toEqual(["", "198.51.100.20:4444", "[2001:db8::7]:443"])
  })

  it("draws the coupling of the finding that was named, whenever it was", async () => {
    const chosen = { finding: ids.tunnel }
    const curve = await rowsOf("backflow-ways-in", "Coupling: in on A, into B, and back", { chosen })
    expect(["1 in on A", "2 into B", "3 out of B", "4 out on A"].map((leg) => total(curve, leg))).toEqual([
      120_000, 108_000, 600_000, 612_000,
    ])
    expect(await rowsOf("backflow-ways-in", "What was touched", { chosen })).toMatchObject([
      { inside: "127.0.0.1:8000", opened: "90" },
      { inside: "10.0.0.5:5432", opened: "30" },
    ])
    expect(await rowsOf("backflow-ways-in", "Past ways in", { chosen: { finding: ids.old } })).toHaveLength(1)
    expect(await rowsOf("backflow-ways-in", "Evidence", { chosen })).toMatchObject([
      { kind: "conservation", id: ids.tunnel },
    ])
    expect(await rowsOf("backflow-ways-in", "Live ways in", { chosen: { finding: "no such id" } })).toEqual([])
  })

  it("joins nodes by edges", async () => {
    const nodes = new Set(
      (await rowsOf("backflow-ways-in", "Who reaches what", { refId: "nodes" })).map(({ id }) => id),
    )
    const edges = await rowsOf("backflow-ways-in", "Who reaches what", { refId: "edges" })
    expect(edges).toHaveLength(7)
    for (const { source, target } of edges) expect([nodes.has(source), nodes.has(target)]).toEqual([true, true])
  })

  it("knows long-lived connections from short ones, by age and by who leads", async () => {
    expect(numbers(await rowsOf("backflow-outbound", "Long-lived and open"))).toEqual([{ open: 4, ended: 2 }])
    expect(numbers(await rowsOf("backflow-outbound", "Oldest open"))).toEqual([{ oldest: 108_000 }])
    expect(numbers(await rowsOf("backflow-outbound", "Driven from outside"))).toEqual([{ "driven from outside": 1 }])
    expect(await rowsOf("backflow-outbound", "Open connections by age")).toEqual([
      { age: "1 to 6 h", connections: "2" },
      { age: "6 to 24 h", connections: "1" },
      { age: "1 to 7 d", connections: "1" },
    ])
    expect(await rowsOf("backflow-outbound", "Oldest open connections", { chosen: { age: "86400" } })).toMatchObject([
      { "far side": "192.0.2.5:22", speaks: "ssh" },
    ])
  })

  it("finds the scan, the miners and the upload", async () => {
    expect(await rowsOf("backflow-exploration", "Fan-out inside")).toMatchObject([
      { host: "train-3", program: "/usr/bin/nmap", addresses: "60", endpoints: "60", "in one hour": "60" },
    ])
    expect(numbers(await rowsOf("backflow-exploration", "Miners, by shape"))).toEqual([{ connections: 2 }])
    expect((await rowsOf("backflow-exploration", "Shaped like mining")).map(({ program }) => program)).toEqual([
      "/tmp/xmrig",
      "/opt/worker",
    ])
    expect((await rowsOf("backflow-exploration", "On ports of mining pools")).map(({ program }) => program)).toEqual([
      "/tmp/xmrig",
      "/usr/bin/python3",
    ])
    expect((await rowsOf("backflow-exploration", "Upload"))[0]).toMatchObject({
      program: "/usr/bin/rclone",
      sent: "50000000000",
    })
  })

  it("tells a host and an identity", async () => {
    expect(await rowsOf("backflow-host", "Collector")).toMatchObject([{ host: "train-3", degraded: "none" }])
    expect((await rowsOf("backflow-host", "Findings on this host")).map(({ id }) => id)).toEqual([
      ids.inversion,
      ids.shell,
    ])
    expect(
      numbers(await rowsOf("backflow-identity", "Opened", { chosen: { exe: ["/usr/bin/nmap", "/usr/bin/rclone"] } })),
    ).toEqual([{ outside_opened: 1, inside_opened: 60 }])
    expect(
      await rowsOf("backflow-identity", "Findings about this identity", { chosen: { exe: "/usr/sbin/sshd" } }),
    ).toHaveLength(1)
  })

  it("counts what counters rose by, over restarts of nothing", async () => {
    expect(numbers(await rowsOf("backflow-pipeline", "Failures"))).toEqual([{ value: 8 }])
    expect(numbers(await rowsOf("backflow-pipeline", "Rejected"))).toEqual([{ value: 2 }])
    expect(await rowsOf("backflow-pipeline", "Event to stored")).toEqual([{ seconds: 0.25 }])
    const written = await rowsOf("backflow-pipeline", "Batches written", { from: "now-1h" })
    expect(new Set(written.filter(({ name }) => name === "store").map((row) => row["per second"]))).toContain(1)
    const oldest = await rowsOf("backflow-pipeline", "Outbox: oldest alert")
    expect(Math.max(...oldest.map(({ value }) => Number(value)))).toBeGreaterThanOrEqual(3_540)
    const stored = await rowsOf("backflow-pipeline", "Rows stored", { from: "now-24h" })
    // Records of 24 h, each interval's rate times its 5 min.
    expect(Math.round(total(stored, "rows") * 300)).toBe(
      story(endSeconds * 1_000_000).connections.filter(({ batchUs }) => batchUs >= (endSeconds - 86_400) * 1_000_000)
        .length,
    )
  })
})

/** What ended more than an hour before the story does. */
function quietLastHour({ dashboard, place, kind }: Statement): boolean {
  const quiet = [
    "New findings by class",
    "New findings by severity",
    "Silent hosts",
    "Past ways in",
    "Findings on this host",
    "Inside addresses reached in an hour, by program",
    "Fan-out inside",
    "Findings about this identity",
    "Hosts that lost something or watch less than they could",
  ]
  return kind === "annotation" || quiet.includes(place) || dashboard === "backflow-host"
}
