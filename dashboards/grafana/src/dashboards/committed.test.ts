import { metricDeclarations, storedSeconds } from "@backflow/analyzer/telemetry/metric-declarations"
import { readFileSync, readdirSync } from "node:fs"
import { describe, expect, it, test } from "vitest"
import { statementCases } from "../fixtures/statement-cases.js"
import { dashboardFiles } from "../registry.js"
import { committedDashboards } from "../plugin/statements.js"
import { tag, uids } from "../links.js"

const folder = new URL("../../dashboards/", import.meta.url)
const dashboards = committedDashboards()

test("the committed files are what the source makes (npm run write -w dashboards/grafana)", async () => {
  const made = await dashboardFiles()
  expect(readdirSync(folder).sort()).toEqual([...made.keys()].sort())
  for (const [name, text] of made) expect(readFileSync(new URL(name, folder), "utf8"), name).toBe(text)
})

describe.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))("%s", (uid, dashboard) => {
  it("is one of the known uids, has the tag, and asks only the chosen data source", () => {
    expect(Object.values(uids)).toContain(uid)
    expect(dashboard.tags).toEqual([tag])
    expect(dashboard.templating.list[0]).toMatchObject({ type: "datasource", name: "datasource" })
    expect(JSON.stringify(dashboard)).not.toMatch(/__inputs|\$\{DS_/)
  })

  it("numbers panels and targets once", () => {
    const panelIds = dashboard.panels.map(({ id }) => id)
    expect(new Set(panelIds).size).toBe(panelIds.length)
    const titles = dashboard.panels.map(({ title }) => title)
    expect(new Set(titles).size, titles.join(", ")).toBe(titles.length)
    for (const { targets } of dashboard.panels)
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
  })

  it("lays no panel over another or beyond the edge", () => {
    const taken = new Map<string, string>()
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x},${y}`), title).toBeUndefined()
          taken.set(`${x},${y}`, title)
        }
      }
    }
  })

  it("defines every variable that it uses, and uses every one that it defines", () => {
    const defined = dashboard.templating.list.map(({ name }) => name)
    const text = JSON.stringify(dashboard)
    const used = [...text.matchAll(/\$\{(\w+)(?::\w+)?\}|\$(?!_)([a-z]\w*)/g)].map(
      ([, braced, bare]) => braced ?? bare ?? "",
    )
    const known = new Set([...defined, "__url_time_range"])
    expect(used.filter((name) => !known.has(name))).toEqual([])
    expect(defined.filter((name) => !used.includes(name))).toEqual([])
  })
})

describe.each(statementCases)("%s", (_name, _dashboard, { sql, kind }) => {
  it("names its columns", () => {
    expect(sql).not.toMatch(/SELECT\s+\*/i)
  })

  it("is bounded by the range of the page", () => {
    expect(sql).toMatch(/\$__(timeFilter|fromTime|toTime)/)
    for (const [table] of sql.matchAll(
      /FROM (connections|outbound_hourly|host_reports|metrics|couplings)\b[^;]{0,20}/g,
    )) {
      expect(table).not.toContain("_current")
    }
    const sources = sql.match(/FROM (connections|outbound_hourly|host_reports|metrics)\b/g)?.length ?? 0
    const bounds =
      sql.match(/\$__timeFilter\((batch_at|hour|at)\)|at >= \$__fromTime - INTERVAL 10 MINUTE AND at <= \$__toTime/g)
        ?.length ?? 0
    expect(bounds).toBeGreaterThanOrEqual(sources)
  })

  it("takes the last version of what has versions", () => {
    const versioned = sql.match(/FROM (findings|incidents)\b/g)?.length ?? 0
    const latest = sql.match(/LIMIT 1 BY id|uniqExact\(id\)/g)?.length ?? 0
    expect(latest).toBeGreaterThanOrEqual(versioned)
  })

  it("limits lists", () => {
    if (kind === "variable") expect(sql).toMatch(/LIMIT \d+$/)
    expect(sql).not.toContain("FINAL")
  })
})

test("counters that are shown are counted", () => {
  const counted = new Set([
    ...metricDeclarations.map(({ name }) => name),
    `${storedSeconds.name}_sum`,
    `${storedSeconds.name}_count`,
  ])
  const shown = new Set(statementCases.flatMap(([, , { sql }]) => sql.match(/(?<=')backflow_\w+(?=')/g) ?? []))
  expect(shown.size).toBeGreaterThan(15)
  expect([...shown].filter((name) => !counted.has(name as never))).toEqual([])
})
