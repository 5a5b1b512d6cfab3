import { uids } from "../links.js"
import { stat, table, timeSeries } from "../panels/panel.js"
import { findingsTable, incidentsTable } from "../panels/findings.js"
import { lossTotals, lossesOverTime } from "../panels/losses.js"
import { classFilter, hostFilter, latestFindings, latestIncidents, levelFilter } from "../sql.js"
import { classVariable, hostVariable, severityVariable } from "../variables.js"
import { frame } from "./frame.js"

/** Collectors report every 10 s; one that missed six is silent. */
const silentAfterSeconds = 60

export const overview = () =>
  frame({
    uid: uids.overview,
    title: "Backflow: overview",
    description: "What needs a person, which hosts report, and what was lost.",
    from: "now-24h",
    variables: [hostVariable(), severityVariable(), classVariable()],
    hasClass: true,
  })
    .withPanel(
      stat({
        title: "Incidents",
        description: "Incidents that were not closed when their last version was written, whenever they began.",
        width: 4,
        alarmAt: 1,
        sql: `SELECT count() AS "open incidents" FROM ${latestIncidents} WHERE status = 'open'`,
      }),
    )
    .withPanel(
      stat({
        title: "Open findings, medium and above",
        description: "Findings that are open and not approved by policy, whenever they were made.",
        width: 5,
        alarmAt: 1,
        sql: `SELECT count() AS "open findings" FROM ${latestFindings("id, severity AS level, status")}
WHERE status IN ('open', 'updated') AND level >= 'medium'`,
      }),
    )
    .withPanel(
      stat({
        title: "Approved ways in",
        description: "Findings that policy expects: recorded, never alerted.",
        width: 4,
        sql: `SELECT count() AS expected FROM ${latestFindings("id, status, still_open")} WHERE status = 'expected' AND still_open`,
      }),
    )
    .withPanel(
      stat({
        title: "Hosts",
        description: `Hosts that reported in the last ${silentAfterSeconds} s of the range, and those that reported earlier in it only.`,
        width: 5,
        sql: `SELECT countIf(last_at >= $__toTime - INTERVAL ${silentAfterSeconds} SECOND) AS reporting,
  countIf(last_at < $__toTime - INTERVAL ${silentAfterSeconds} SECOND) AS silent
FROM (
  SELECT host_id, max(at) AS last_at FROM host_reports
  WHERE $__timeFilter(at) AND ${hostFilter} GROUP BY host_id
)`,
      }),
    )
    .withPanel(
      stat({
        title: "Lost in this range",
        description:
          "Records that the kernel had no room for, that collectors shed while the analyzer was away, and that could not be read. Any of them may have hidden something.",
        width: 6,
        alarmAt: 1,
        sql: `SELECT sum(kernel - kernel_before) AS lost, sum(shed - shed_before) AS shed, sum(unread - unread_before) AS rejected
FROM (
  SELECT host_id, instance,
    ${lossTotals("kernel")}
)`,
      }),
    )
    .withPanel(incidentsTable("open"))
    .withPanel(
      timeSeries({
        title: "New findings by class",
        description: "When each finding was made first.",
        width: 12,
        bars: true,
        sql: `SELECT $__timeInterval(first_detected_at) AS time, toString(class) AS name, uniqExact(id) AS findings
FROM findings
WHERE $__timeFilter(first_detected_at) AND ${hostFilter} AND ${classFilter}
GROUP BY time, name ORDER BY time, name`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "New findings by severity",
        description: "When each finding was made first, by the severity that it has now.",
        width: 12,
        bars: true,
        sql: `SELECT $__timeInterval(first_detected_at) AS time, toString(level) AS name, count() AS findings
FROM ${latestFindings("id, first_detected_at, severity AS level", "$__timeFilter(first_detected_at)")}
WHERE ${levelFilter}
GROUP BY time, name ORDER BY time, name`,
      }),
    )
    .withPanel(findingsTable({ title: "Findings", width: 24 }))
    .withPanel(
      timeSeries({
        title: "Hosts that report",
        description: "Hosts with at least one report in each interval.",
        width: 12,
        sql: `SELECT $__timeInterval(at) AS time, uniqExact(host_id) AS hosts FROM host_reports
WHERE $__timeFilter(at) AND ${hostFilter} GROUP BY time ORDER BY time`,
      }),
    )
    .withPanel(lossesOverTime(12))
    .withPanel(
      table({
        title: "Silent hosts",
        description: `Hosts that reported within the range, but not in its last ${silentAfterSeconds} s. Nothing is known of them since.`,
        width: 24,
        height: 6,
        columns: { host: "host", "silent for": { unit: "s" } },
        sql: `SELECT any(host_name) AS host, max(at) AS "last report", dateDiff('second', max(at), $__toTime) AS "silent for",
  argMax(live_connections, at) AS "connections then", argMax(collector_version, at) AS collector, toString(host_id) AS host_id
FROM host_reports
WHERE $__timeFilter(at) AND ${hostFilter}
GROUP BY host_id
HAVING max(at) < $__toTime - INTERVAL ${silentAfterSeconds} SECOND
ORDER BY max(at) LIMIT 200`,
      }),
    )
