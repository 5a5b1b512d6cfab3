// For a machine that has a Grafana (11.6 or later, with the plugin grafana-clickhouse-datasource and the data source
// backflow-clickhouse): posts the dashboards and runs every statement through Grafana itself. Not run where Backflow is
// developed, which has no Grafana.
//
//   npm run build -w analyzer && npm run build -w dashboards/grafana
//   GRAFANA_URL=http://localhost:3000 GRAFANA_TOKEN=… node dashboards/grafana/with-grafana.mjs
import { committedDashboards, openingValues, statementsOf } from "./dist/plugin/statements.js"
import { interpolate } from "./dist/plugin/interpolate.js"

const { GRAFANA_URL: address, GRAFANA_TOKEN: token, GRAFANA_SOURCE: uid = "backflow-clickhouse" } = process.env
if (address === undefined || token === undefined) {
  console.error(
    "Set GRAFANA_URL and GRAFANA_TOKEN (of a service account that may edit dashboards and query data sources).",
  )
  process.exit(2)
}

async function post(path, body) {
  const response = await fetch(`${address.replace(/\/+$/, "")}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  })
  return { status: response.status, body: await response.json().catch(() => ({})) }
}

let failures = 0
const datasource = { type: "grafana-clickhouse-datasource", uid }
for (const dashboard of committedDashboards()) {
  const { status, body } = await post("/api/dashboards/db", { dashboard, overwrite: true })
  console.log(`${dashboard.uid}: posted, ${status} ${body.message ?? body.status ?? ""}`)
  if (status !== 200) failures += 1
  for (const { place, refId, sql, panel } of statementsOf(dashboard)) {
    const shape = panel?.targets.find((target) => target.refId === refId)?.queryType ?? "table"
    const query = {
      refId: "A",
      datasource,
      editorType: "sql",
      // The browser's part; macros are left to the plugin.
      rawSql: interpolate(sql, openingValues(dashboard)),
      queryType: shape,
      format: shape === "timeseries" ? 0 : 1,
      intervalMs: 300_000,
      maxDataPoints: 300,
    }
    const response = await post("/api/ds/query", { from: dashboard.time.from, to: "now", queries: [query] })
    const result = response.body.results?.A
    const isGood = response.status === 200 && result?.error === undefined && Array.isArray(result?.frames)
    if (!isGood) failures += 1
    const rows = result?.frames?.[0]?.data?.values?.[0]?.length ?? 0
    console.log(
      `  ${isGood ? "ok  " : "FAIL"} ${place}: ${isGood ? `${rows} rows` : (result?.error ?? response.status)}`,
    )
  }
}
console.log(failures === 0 ? "All panels answered." : `${failures} failed.`)
process.exitCode = failures === 0 ? 0 : 1
