import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { fill } from "./bulk.js"
import { temporaryStore } from "./seeded-store.js"
import type { TemporaryStore } from "./seeded-store.js"
import { committedDashboards, openingValues, rangeBefore, resolved, statementsOf } from "./statements.js"

/** 2026-11-23T06:00:00Z. */
const end = 1_795_413_600
const days = 8
const timed = ["connections", "outbound_hourly", "host_reports", "metrics"]
const named = committedDashboards().flatMap((dashboard) =>
  statementsOf(dashboard).map(
    (statement) => [`${statement.dashboard}: ${statement.place} ${statement.refId}`, dashboard, statement] as const,
  ),
)

let temporary: TemporaryStore
const counts = new Map<string, number>()

beforeAll(async () => {
  temporary = await temporaryStore()
  await fill(temporary.session, { connections: 400_000, hosts: 5, findings: 2_000, days, end })
  for (const table of [...timed, "couplings"]) {
    const [row] = await temporary.session.rows<{ rows: string }>(`SELECT count() AS rows FROM ${table}`)
    counts.set(table, Number(row?.rows))
  }
})

afterAll(async () => {
  await temporary.close()
})

/** Rows that the engine would read of each table, after partitions and keys are weighed. */
async function estimate(sql: string): Promise<Map<string, number>> {
  const rows = await temporary.session.rows<{ table: string; rows: string }>(`EXPLAIN ESTIMATE ${sql}`)
  const most = new Map<string, number>()
  for (const { table, rows: read } of rows) most.set(table, Math.max(most.get(table) ?? 0, Number(read)))
  return most
}

describe("an hour of eight days", () => {
  it.each(named)("%s reads by partition and key", async (_, dashboard, statement) => {
    const sql = resolved(
      statement.sql,
      rangeBefore(end, "now-1h", statement.panel),
      openingValues(dashboard, { host: "h1" }),
    )
    const read = await estimate(sql)
    for (const table of timed) {
      // A day's partition, and a few granules where a table is small.
      const most = (counts.get(table) ?? 0) / days + 4 * 8_192
      expect(read.get(table) ?? 0, table).toBeLessThanOrEqual(Math.min(most, counts.get(table) ?? 0))
    }
  })

  it.each(named.filter(([, , { sql }]) => /FROM connections\b/.test(sql)))(
    "%s reads connections of that hour alone",
    async (_, dashboard, statement) => {
      const plan = await temporary.session.rows<{ explain: string }>(
        `EXPLAIN indexes = 1 ${resolved(statement.sql, rangeBefore(end, "now-1h", statement.panel), openingValues(dashboard, { host: "h1" }))}`,
      )
      const text = plan.map(({ explain }) => explain).join("\n")
      expect(text).toMatch(/Partition\s+Keys:\s+toDate\(batch_at\)/)
      expect(text).toMatch(/PrimaryKey\s+Keys:\s+toStartOfFiveMinutes\(batch_at\)/)
      const read = await estimate(
        resolved(statement.sql, rangeBefore(end, "now-1h", statement.panel), openingValues(dashboard, { host: "h1" })),
      )
      // One hour of 192, in granules of 8,192 rows.
      expect(read.get("connections") ?? 0).toBeLessThanOrEqual((counts.get("connections") ?? 0) / 192 + 3 * 8_192)
    },
  )
})

describe("a finding that is named", () => {
  const ways = named.filter(([, { uid }, { sql }]) => uid === "backflow-ways-in" && sql.includes("FROM couplings"))

  it.each(ways)("%s reads its curve alone", async (_, dashboard, statement) => {
    const finding = "00000000-0000-5000-8000-000000000077"
    const sql = resolved(
      statement.sql,
      rangeBefore(end, "now-7d", statement.panel),
      openingValues(dashboard, { finding }),
    )
    const [row] = await temporary.session.rows<{ explain: string }>(
      `SELECT arrayStringConcat(groupArray(explain), '\n') AS explain FROM (EXPLAIN indexes = 1 ${sql})`,
    )
    expect(row?.explain).toMatch(/ReadFromMergeTree \(backflow\.couplings\)[\s\S]*PrimaryKey[\s\S]*cookie/)
  })
})
