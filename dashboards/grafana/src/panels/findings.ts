import { endpointText, latestFindings, latestIncidents, levelFilter, withoutClassFilter } from "../sql.js"
import { table } from "./panel.js"

/** The gravest first, then the latest. */
export const incidentsTable = (status: "open" | "all", width = 24) =>
  table({
    title: status === "open" ? "Open incidents" : "Incidents",
    description: "Findings on one identity of one host, joined: what a person works on.",
    width,
    height: 6,
    columns: { severity: "severity", findings: { unit: "short" } },
    sql: `SELECT toString(level) AS severity, host_name AS host, identity, summary, first_seen AS "first seen", last_seen AS "last seen",
  length(findings) AS findings, status, toString(id) AS id
FROM ${latestIncidents}
WHERE ${status === "open" ? "status = 'open'" : "last_seen >= $__fromTime"} AND ${levelFilter}
ORDER BY level DESC, last_seen DESC LIMIT 200`,
  })

export interface FindingsTable {
  readonly title: string
  readonly width: number
  /** Beside the range, the hosts, the classes and severities. */
  readonly where?: string
  /** The dashboard has no variables for class and severity. */
  readonly plain?: boolean
}

/** Findings of the range, the latest first; each leads to "Ways in". */
export function findingsTable({ title, width, where, plain }: FindingsTable) {
  const columns =
    "id, severity AS level, class, status, host_id, host_name, exe, pid, remote_address, remote_port, detected_at, last_seen, still_open, summary"
  const severity = plain === true ? "1=1" : levelFilter
  const findings = latestFindings(columns, where)
  return table({
    title,
    description:
      "The last version of each finding that was seen within the range or is still there. The id leads to Ways in.",
    width,
    columns: { severity: "severity", id: "finding", host: "host" },
    sql: `SELECT toString(level) AS severity, toString(class) AS class, toString(status) AS status, host_name AS host, exe AS program,
  ${endpointText("remote_address", "remote_port")} AS "far side", summary, detected_at AS decided, toString(id) AS id, toString(host_id) AS host_id
FROM ${plain === true ? withoutClassFilter(findings) : findings}
WHERE (still_open OR last_seen >= $__fromTime) AND ${severity}
ORDER BY decided DESC, id LIMIT 500`,
  })
}
