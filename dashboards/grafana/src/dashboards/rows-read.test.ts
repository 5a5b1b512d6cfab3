import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { fill } from "../fixtures/bulk.js"
import { temporaryStore } from "../fixtures/seeded-store.js"
import type { TemporaryStore } from "../fixtures/seeded-store.js"
import { endSeconds, statementCases } from "../fixtures/statement-cases.js"
import { openingValues, rangeBefore, resolveStatement } from "../plugin/statements.js"

const days = 8
const timedTables = ["connections", "outbound_hourly", "host_reports", "metrics"]

let temporary: TemporaryStore
const counts = new Map<string, number>()

beforeAll(async () => {
  temporary = await temporaryStore()
  await fill(temporary.session, { connections: 400_000, hosts: 5, findings: 2_000, days, end: endSeconds })
  for (const table of [...timedTables, "couplings"]) {
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
  const maxByTable = new Map<string, number>()
  for (const { table, rows: read } of rows) maxByTable.set(table, Math.max(maxByTable.get(table) ?? 0, Number(read)))
  return maxByTable
}

describe("an hour of eight days", () => {
  it.each(statementCases)("%s reads by partition and key", async (_, dashboard, statement) => {
    const sql = resolveStatement(
      statement.sql,
      rangeBefore(endSeconds, "now-1h", statement.panel),
      openingValues(dashboard, { host: "h1" }),
    )
    const read = await estimate(sql)
    for (const table of timedTables) {
      // A day's partition, and a few granules where a table is small.
      const maxRows = (counts.get(table) ?? 0) / days + 4 * 8_192
      expect(read.get(table) ?? 0, table).toBeLessThanOrEqual(Math.min(maxRows, counts.get(table) ?? 0))
    }
  })

  it.each(statementCases.filter(([, , { sql }]) => /FROM connections\b/.test(sql)))(
    "%s reads connections of that hour alone",
    async (_, dashboard, statement) => {
      const plan = await temporary.session.rows<{ explain: string }>(
        `EXPLAIN indexes = 1 ${resolveStatement(statement.sql, rangeBefore(endSeconds, "now-1h", statement.panel), openingValues(dashboard, { host: "h1" }))}`,
      )
      const text = plan.map(({ explain }) => explain).join("\n")
      expect(text).toMatch(/Partition\s+Keys:\s+toDate\(batch_at\)/)
      expect(text).toMatch(/PrimaryKey\s+Keys:\s+toStartOfFiveMinutes\(batch_at\)/)
      const read = await estimate(
        resolveStatement(
          statement.sql,
          rangeBefore(endSeconds, "now-1h", statement.panel),
          openingValues(dashboard, { host: "h1" }),
        ),
      )
      // One hour of 192, in granules of 8,192 rows.
      expect(read.get("connections") ?? 0).toBeLessThanOrEqual((counts.get("connections") ?? 0) / 192 + 3 * 8_192)
    },
  )
})

describe("a finding that is statementCases", () => {
  const ways = statementCases.filter(
    ([, { uid }, { sql }]) => uid === "backflow-ways-in" && sql.includes("FROM couplings"),
  )

  it.each(ways)("%s reads its curve alone", async (_, dashboard, statement) => {
    const finding = "00000000-0000-5000-8000-000000000077"
    const sql = resolveStatement(
      statement.sql,
      rangeBefore(endSeconds, "now-7d", statement.panel),
      openingValues(dashboard, { finding }),
    )
    const [row] = await temporary.session.rows<{ explain: string }>(
      `SELECT arrayStringConcat(groupArray(explain), '\n') AS explain FROM (EXPLAIN indexes = 1 ${sql})`,
    )
    expect(row?.explain).toMatch(/ReadFromMergeTree \(backflow\.couplings\)[\s\S]*PrimaryKey[\s\S]*cookie/)
  })
})
