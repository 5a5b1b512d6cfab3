/* eslint-disable @typescript-eslint/no-deprecated -- the second form of dashboards needs Grafana 13; this one loads from 11.6 on */
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard"
import { menu, tag } from "../links.js"
import { ClickHouseQueryBuilder, datasource } from "../query.js"
import { latestFindings, withoutClassFilter } from "../sql.js"
import { datasourceVariable } from "../variables.js"

export type Dashboard = dashboard.Dashboard
type Variable = Parameters<dashboard.DashboardBuilder["withVariable"]>[0]

export interface Frame {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly from: string
  readonly variables: readonly Variable[]
  /** The dashboard has a variable `class`. */
  readonly hasClass?: boolean
}

/** New findings on the time axis of every panel. Dashboards without a variable for the class show all classes. */
function findingsAnnotation(hasClass: boolean) {
  const findings = latestFindings(
    "id, first_detected_at, class, severity AS level, host_name, summary",
    "$__timeFilter(first_detected_at)",
  )
  const sql = `
SELECT first_detected_at AS time,
  concat(class, ', ', toString(level), ', ', host_name) AS title,
  summary AS text,
  concat(class, ',', toString(level)) AS tags
FROM ${hasClass ? findings : withoutClassFilter(findings)}
WHERE level >= 'medium'
ORDER BY time
LIMIT 200`
  return new dashboard.AnnotationQueryBuilder()
    .name("Findings")
    .datasource(datasource)
    .enable(true)
    .iconColor("red")
    .target(new ClickHouseQueryBuilder(sql, "table", "Anno"))
}

/** What all dashboards have: stable uid, chosen data source, the menu, and findings on the time axes. */
export function frame({ uid, title, description, from, variables, hasClass }: Frame): dashboard.DashboardBuilder {
  const builder = new dashboard.DashboardBuilder(title)
    .id(null)
    .uid(uid)
    .description(description)
    .tags([tag])
    .timezone("browser")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .refresh("1m")
    .time({ from, to: "now" })
    .readonly()
    .link(menu())
    .withVariable(datasourceVariable())
    .annotation(findingsAnnotation(hasClass === true))
  for (const variable of variables) builder.withVariable(variable)
  return builder
}
