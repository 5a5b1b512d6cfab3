import { uids } from "../links.js"
import { stat, table, timeSeries } from "../panels/panel.js"
import { findingsTable } from "../panels/findings.js"
import { addressText, connectionKey, containerFilter, exeFilter, hostFilter, opensOut, userFilter } from "../sql.js"
import { containerVariable, exeVariable, hostVariable, userVariable } from "../variables.js"
import { frame } from "./frame.js"

const chosen = `${hostFilter} AND ${containerFilter} AND ${userFilter} AND ${exeFilter}`
const hourly = `outbound_hourly WHERE $__timeFilter(hour) AND ${chosen}`

export const identity = () =>
  frame({
    uid: uids.identity,
    title: "Backflow: identity",
    description: "A workload, a user, a program: where it runs, what it opens, and what was found about it.",
    from: "now-24h",
    variables: [hostVariable(), containerVariable(), userVariable(), exeVariable()],
  })
    .withPanel(
      stat({
        title: "Opened",
        description: "Distinct connections that this identity opened, outside and inside.",
        width: 8,
        sql: `SELECT uniqMergeIf(connections, outside) AS outside_opened, uniqMergeIf(connections, NOT outside) AS inside_opened FROM ${hourly}`,
      }),
    )
    .withPanel(
      stat({
        title: "Addresses",
        description: "Distinct addresses that it reached, outside and inside.",
        width: 8,
        sql: `SELECT uniqMergeIf(addresses, outside) AS outside_addresses, uniqMergeIf(addresses, NOT outside) AS inside_addresses FROM ${hourly}`,
      }),
    )
    .withPanel(
      stat({
        title: "Hosts",
        description: "On which it opened connections.",
        width: 8,
        sql: `SELECT uniqExact(host_id) AS hosts FROM ${hourly}`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "Connections opened",
        description: "Distinct connections in each hour.",
        width: 12,
        minInterval: "1h",
        sql: `SELECT toDateTime(hour) AS time, uniqMergeIf(connections, outside) AS to_outside, uniqMergeIf(connections, NOT outside) AS to_inside
FROM ${hourly} GROUP BY time ORDER BY time`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "Sent and received",
        description: "Bytes of its outbound connections, in the hour in which they ended.",
        width: 12,
        minInterval: "1h",
        unit: "bytes",
        bars: true,
        sql: `SELECT toDateTime(hour) AS time, sum(bytes_sent) AS sent, sum(bytes_received) AS received
FROM ${hourly} GROUP BY time ORDER BY time`,
      }),
    )
    .withPanel(
      findingsTable({
        title: "Findings about this identity",
        width: 24,
        plain: true,
        where: `${containerFilter} AND ${userFilter} AND ${exeFilter}`,
      }),
    )
    .withPanel(
      table({
        title: "Where it runs",
        description: "Each combination of host, container, user and program, from hourly sums.",
        width: 14,
        columns: { host: "host", longest: { unit: "s" }, sent: { unit: "bytes" }, received: { unit: "bytes" } },
        sql: `SELECT host_name AS host, container_id AS container, uid AS user, exe AS program, uniqMerge(connections) AS opened,
  uniqMerge(endpoints) AS endpoints, max(longest_seconds) AS longest, sum(bytes_sent) AS sent, sum(bytes_received) AS received, toString(host_id) AS host_id
FROM ${hourly}
GROUP BY host_id, host_name, container_id, uid, exe ORDER BY opened DESC, host, program LIMIT 200`,
      }),
    )
    .withPanel(
      table({
        title: "Where it connects",
        description: "Addresses of its outbound connections with a record within the range.",
        width: 10,
        sql: `SELECT ${addressText("remote_address")} AS address, if(any(outside), 'outside', 'inside') AS side, uniq(${connectionKey}) AS connections,
  uniqExact(remote_port) AS ports
FROM connections
WHERE $__timeFilter(batch_at) AND ${opensOut} AND ${chosen}
GROUP BY remote_address ORDER BY connections DESC, address LIMIT 200`,
      }),
    )
