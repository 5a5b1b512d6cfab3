import { readFileSync, readdirSync } from "node:fs"
import { z } from "zod"
import { dashboardShape } from "./dashboard-shape.js"
import type { DashboardJson, PanelJson } from "./dashboard-shape.js"
import { allValue, interpolate } from "./interpolate.js"
import type { Values } from "./interpolate.js"
import { expandMacros } from "./macros.js"
import type { Range } from "./macros.js"

/** One statement of a dashboard, and where it stands. */
export interface Statement {
  readonly dashboard: string
  /** Title of the panel, "variable NAME" or "annotation NAME". */
  readonly place: string
  readonly kind: "panel" | "variable" | "annotation"
  readonly panel: PanelJson | undefined
  readonly refId: string
  readonly sql: string
}

const folder = new URL("../../dashboards/", import.meta.url)

/** The committed dashboards, by uid. Throws where one is not of the shape. */
export function committedDashboards(): readonly DashboardJson[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => parseDashboard(name, JSON.parse(readFileSync(new URL(name, folder), "utf8"))))
}

function parseDashboard(name: string, json: unknown): DashboardJson {
  const parsed = dashboardShape.safeParse(json)
  if (!parsed.success) throw new Error(`${name}: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** Every statement that a dashboard sends to the store. */
export function statementsOf(dashboard: DashboardJson): Statement[] {
  const { uid } = dashboard
  return [
    ...dashboard.panels.flatMap((panel) =>
      panel.targets.map(({ refId, rawSql }) => ({
        dashboard: uid,
        place: panel.title,
        kind: "panel" as const,
        panel,
        refId,
        sql: rawSql,
      })),
    ),
    ...dashboard.templating.list.flatMap((variable) =>
      variable.type === "query"
        ? [
            {
              dashboard: uid,
              place: `variable ${variable.name}`,
              kind: "variable" as const,
              panel: undefined,
              refId: "",
              sql: variable.query,
            },
          ]
        : [],
    ),
    ...dashboard.annotations.list.map(({ name, target }) => ({
      dashboard: uid,
      place: `annotation ${name}`,
      kind: "annotation" as const,
      panel: undefined,
      refId: target.refId,
      sql: target.rawSql,
    })),
  ]
}

/** Values as they are when a dashboard is opened: "All", the first of a fixed list, or empty. */
export function openingValues(dashboard: DashboardJson, chosen: Values = {}): Values {
  const opening = dashboard.templating.list.map((variable): [string, string | readonly string[]] => [
    variable.name,
    variable.current?.value ?? allValue,
  ])
  return { ...Object.fromEntries(opening), ...chosen }
}

/** The statement as ClickHouse gets it. */
export function resolveStatement(sql: string, range: Range, values: Values): string {
  return expandMacros(interpolate(sql, values), range)
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** "now-6h" before `to`, drawn some 300 points wide, but no finer than its panel allows. */
export function rangeBefore(to: number, from: string, panel?: PanelJson): Range {
  const seconds = secondsIn(from.replace(/^now-/, ""))
  const minInterval = secondsIn(panel?.interval ?? "10s")
  return { from: to - seconds, to, intervalSeconds: Math.max(minInterval, niceInterval(seconds / 300)) }
}

function secondsIn(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  const seconds = Number(count) * (secondsOf[unit ?? ""] ?? Number.NaN)
  if (!(seconds > 0)) throw new RangeError(`"${text}" is not a length of time like 6h`)
  return seconds
}

/** Grafana rounds to intervals that people read. */
function niceInterval(seconds: number): number {
  const steps = [10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400]
  return steps.find((step) => step >= seconds) ?? 86_400
}
