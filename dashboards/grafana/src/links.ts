import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard"

/** Uids never change: alerts and bookmarks lead to them. */
export const uids = {
  overview: "backflow-overview",
  waysIn: "backflow-ways-in",
  outbound: "backflow-outbound",
  host: "backflow-host",
  identity: "backflow-identity",
  exploration: "backflow-exploration",
  pipeline: "backflow-pipeline",
} as const

/** All dashboards have it; the links among them go by it. */
export const tag = "backflow"

const inThisSource = "var-datasource=${datasource}"

/** From a row with a column `id`. */
export const findingLink = {
  title: "Ways in, with this finding",
  url: `/d/${uids.waysIn}?${inThisSource}&var-finding=\${__data.fields.id}&\${__url_time_range}`,
}

/** From a row with a column `host_id`. */
export const hostLink = {
  title: "This host",
  url: `/d/${uids.host}?${inThisSource}&var-host=\${__data.fields.host_id}&\${__url_time_range}`,
}

/** A menu of all dashboards of Backflow, which keeps range and variables. */
export const menu = () =>
  new dashboard.DashboardLinkBuilder("Backflow")
    .type(dashboard.DashboardLinkType.Dashboards)
    .tags([tag])
    .asDropdown(false)
    .includeVars(true)
    .keepTime(true)

/** Of a finding, as alerts carry them (RFC 3339). */
export interface LinkedFinding {
  readonly id: string
  readonly first_seen: string
  readonly last_seen: string
  readonly status: string
}

/** Room around what a finding spans, in milliseconds: what led to it stands before. */
const marginMs = 600_000

/**
 * Where a person who got an alert looks: "Ways in" with the finding selected. `grafana` is the address of Grafana, such
 * as "https://grafana.example.org". A finding that is not closed is shown up to now.
 */
export function findingUrl(grafana: string, finding: LinkedFinding): string {
  const url = new URL(`${grafana.replace(/\/+$/, "")}/d/${uids.waysIn}`)
  url.searchParams.set("var-finding", finding.id)
  url.searchParams.set("from", String(Date.parse(finding.first_seen) - marginMs))
  url.searchParams.set("to", finding.status === "closed" ? String(Date.parse(finding.last_seen) + marginMs) : "now")
  return url.href
}
