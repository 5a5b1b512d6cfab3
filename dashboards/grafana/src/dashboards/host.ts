import { uids } from "../links.js"
import { lossesOverTime } from "../panels/losses.js"
import { stat, table, timeSeries } from "../panels/panel.js"
import { findingsTable } from "../panels/findings.js"
import { addressText, connectionKey, hostFilter, latestIncidents, opensOut } from "../sql.js"
import { singleHostVariable } from "../variables.js"
import { frame } from "./frame.js"

const reports = `host_reports WHERE $__timeFilter(at) AND ${hostFilter}`

export const host = () =>
  frame({
    uid: uids.host,
    title: "Backflow: host",
    description: "One host: how its collector stands, what it opened, and what was found on it.",
    from: "now-24h",
    variables: [singleHostVariable()],
  })
    .withPanel(
      table({
        title: "Collector",
        description:
          "From the last report within the range. Degraded features are hooks that this kernel does not have.",
        width: 12,
        height: 3,
        sql: `SELECT argMax(host_name, at) AS host, argMax(kernel, at) AS kernel, argMax(collector_version, at) AS collector,
  if(empty(argMax(degraded, at)), 'none', arrayStringConcat(argMax(degraded, at), ', ')) AS degraded, max(at) AS "last report"
FROM ${reports} GROUP BY host_id ORDER BY host LIMIT 10`,
      }),
    )
    .withPanel(
      stat({
        title: "Open incidents",
        description: "Of this host.",
        width: 4,
        alarmAt: 1,
        sql: `SELECT count() AS "open incidents" FROM ${latestIncidents} WHERE status = 'open'`,
      }),
    )
    .withPanel(
      stat({
        title: "Live connections",
        description: "At the last report within the range.",
        width: 4,
        sql: `SELECT argMax(live_connections, at) AS connections FROM ${reports}`,
      }),
    )
    .withPanel(
      stat({
        title: "Forgotten for lack of room",
        description: "Connections, processes and couplings that the analyzer evicted since it started.",
        width: 4,
        alarmAt: 1,
        sql: `SELECT argMax(evicted, at) AS evicted FROM ${reports}`,
      }),
    )
    .withPanel(findingsTable({ title: "Findings on this host", width: 24, plain: true }))
    .withPanel(
      timeSeries({
        title: "Live connections and processes",
        description: "The highest of each interval, as reported.",
        width: 12,
        sql: `SELECT $__timeInterval(at) AS time, max(live_connections) AS connections, max(processes) AS processes
FROM ${reports} GROUP BY time ORDER BY time`,
      }),
    )
    .withPanel(lossesOverTime(12))
    .withPanel(
      timeSeries({
        title: "Opened to the outside, by program",
        description: "Distinct connections in each hour, of the programs that opened most.",
        width: 12,
        minInterval: "1h",
        sql: `SELECT toDateTime(hour) AS time, exe AS name, uniqMerge(connections) AS opened
FROM outbound_hourly
WHERE $__timeFilter(hour) AND outside AND ${hostFilter} AND exe IN (
  SELECT exe FROM outbound_hourly WHERE $__timeFilter(hour) AND outside AND ${hostFilter}
  GROUP BY exe ORDER BY uniqMerge(connections) DESC LIMIT 10
)
GROUP BY time, name ORDER BY time, name`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "Sent and received outside",
        description: "Bytes of connections to the outside, in the hour in which they ended.",
        width: 12,
        minInterval: "1h",
        unit: "bytes",
        bars: true,
        sql: `SELECT toDateTime(hour) AS time, sum(bytes_sent) AS sent, sum(bytes_received) AS received
FROM outbound_hourly WHERE $__timeFilter(hour) AND outside AND ${hostFilter} GROUP BY time ORDER BY time`,
      }),
    )
    .withPanel(
      table({
        title: "Far sides",
        description:
          "Outside addresses of connections with a record within the range: opened by the host, and accepted by it.",
        width: 12,
        columns: { "sent at most": { unit: "bytes" }, "received at most": { unit: "bytes" } },
        sql: `SELECT ${addressText("remote_address")} AS "far side", uniqIf(${connectionKey}, ${opensOut}) AS opened, uniqIf(${connectionKey}, initiator = 'remote') AS accepted,
  arrayStringConcat(arraySort(groupUniqArray(5)(exe)), ', ') AS programs, max(bytes_sent) AS "sent at most", max(bytes_received) AS "received at most"
FROM connections
WHERE $__timeFilter(batch_at) AND ${hostFilter} AND outside
GROUP BY remote_address ORDER BY opened DESC, "far side" LIMIT 100`,
      }),
    )
    .withPanel(
      table({
        title: "Programs",
        description: "What each program opened, inside and outside, from hourly sums.",
        width: 12,
        columns: { longest: { unit: "s" }, sent: { unit: "bytes" }, received: { unit: "bytes" } },
        sql: `SELECT exe AS program, uid AS user, container_id AS container, uniqMergeIf(connections, outside) AS outside_opened,
  uniqMergeIf(connections, NOT outside) AS inside_opened, uniqMerge(addresses) AS addresses, max(longest_seconds) AS longest,
  sum(bytes_sent) AS sent, sum(bytes_received) AS received
FROM outbound_hourly
WHERE $__timeFilter(hour) AND ${hostFilter}
GROUP BY exe, uid, container_id ORDER BY outside_opened DESC, program LIMIT 100`,
      }),
    )
