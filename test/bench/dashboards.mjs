/**
 * Every statement of every dashboard on 10 million connection records, over the range that the dashboard opens with.
 *
 *     npm run build -w analyzer && npm run build -w dashboards/grafana && node test/bench/dashboards.mjs [RECORDS]
 *
 * All records lie within the last day, so that a range of 24 h reads the whole table. Each statement runs three times;
 * the median counts. What the engine remembers of a condition is dropped before each run; pages of files stay in memory. Ends with status 1 when one is over its budget.
 */
import { fill } from "@backflow/grafana/fixtures/bulk"
import { temporaryStore } from "@backflow/grafana/fixtures/seeded-store"
import { endSeconds, statementCases } from "@backflow/grafana/fixtures/statement-cases"
import { openingValues, rangeBefore, resolveStatement } from "@backflow/grafana/plugin/statements"

const records = Number(process.argv[2] ?? 10_000_000)
const scale = { connections: records, hosts: 100, findings: Math.ceil(records / 5_000), days: 1, end: endSeconds }

/** Milliseconds on two cores. */
const budget = 1_000

const temporary = await temporaryStore()
let isOver = false
try {
  const began = performance.now()
  await fill(temporary.session, scale)
  console.log(
    `${records} connection records of ${scale.hosts} hosts, ${scale.findings} findings; filled in ${seconds(performance.now() - began)}`,
  )
  console.log("\n| dashboard | panel | ms | budget | rows read | rows |\n|---|---|---:|---:|---:|---:|")
  const times = []
  for (const [, dashboard, statement] of statementCases) {
    const place = `${statement.place}${statement.refId === "A" || statement.refId === "" ? "" : ` (${statement.refId})`}`
    const chosen = dashboard.uid === "backflow-host" ? { host: "h3" } : {}
    const sql = resolveStatement(
      statement.sql,
      rangeBefore(endSeconds, dashboard.time.from, statement.panel),
      openingValues(dashboard, chosen),
    )
    const { ms, rows } = await median(sql)
    isOver ||= ms > budget
    times.push(ms)
    console.log(
      `| ${dashboard.uid} | ${place} | ${ms.toFixed(0)}${ms > budget ? " OVER" : ""} | ${budget} | ${await rowsRead(sql)} | ${rows} |`,
    )
  }
  times.sort((a, b) => a - b)
  console.log(
    `\n${times.length} statements; median ${times[times.length >> 1].toFixed(0)} ms, slowest ${times.at(-1).toFixed(0)} ms`,
  )
} finally {
  await temporary.close()
}
process.exitCode = isOver ? 1 : 0

async function median(sql) {
  const times = []
  let rows = 0
  for (let i = 0; i < 3; i += 1) {
    await temporary.session.command("SYSTEM DROP QUERY CONDITION CACHE")
    const began = performance.now()
    rows = (await temporary.session.rows(sql)).length
    times.push(performance.now() - began)
  }
  return { ms: times.sort((a, b) => a - b)[1], rows }
}

/** After partitions and keys are weighed, before conditions. */
async function rowsRead(sql) {
  const rows = await temporary.session.rows(`EXPLAIN ESTIMATE ${sql}`)
  return rows.reduce((sum, { rows: read }) => sum + Number(read), 0)
}

function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`
}
