import { uids } from "../links.js"
import { bars, stat, table, timeSeries } from "../panels/panel.js"
import { addressText, connectionKey, endpointText, hostFilter, opensOut } from "../sql.js"
import { ageVariable, hostVariable } from "../variables.js"
import { frame } from "./frame.js"

const state = [
  "closed",
  "host_name",
  "exe",
  "uid",
  "container_id",
  "pid",
  "remote_address",
  "remote_port",
  "protocol",
  "opened_at",
  "observed_at",
  "last_moved_at",
  "bytes_sent",
  "bytes_received",
  "ssh_local_ident OR ssh_remote_ident",
  "remote_led_answered",
  "local_led_answered",
] as const

const at = (name: (typeof state)[number]) => `tupleElement(latest, ${state.indexOf(name) + 1})`

/**
 * The last state within the range of each connection that was old enough by then. A record is weighed by the age at
 * which it was written, so that short connections are left out before anything is grouped.
 */
const longLived = `(
  SELECT ${connectionKey}, argMax(tuple(${state.join(", ")}), (closed, observed_at, batch_at, seq)) AS latest
  FROM connections
  WHERE $__timeFilter(batch_at) AND outside AND ${opensOut} AND opened_at <= observed_at - toIntervalSecond(\${age}) AND ${hostFilter}
  GROUP BY ${connectionKey}
)`

const age = `dateDiff('second', ${at("opened_at")}, ${at("observed_at")})`

const silent =
  "A connection that moved nothing in the whole range has no record in it: widen the range to see it. Ways in shows silent ones that are findings."

export const outbound = () =>
  frame({
    uid: uids.outbound,
    title: "Backflow: long-lived outbound connections",
    description: "Connections to the outside that stay: the ordinary ones too, so that the odd one stands out.",
    from: "now-6h",
    variables: [hostVariable(), ageVariable()],
  })
    .withPanel(
      stat({
        title: "Long-lived and open",
        description: `Outbound connections to the outside that were open when last seen. ${silent}`,
        width: 8,
        sql: `SELECT countIf(${at("closed")} = 'open') AS open, countIf(${at("closed")} != 'open') AS ended FROM ${longLived}`,
      }),
    )
    .withPanel(
      stat({
        title: "Oldest open",
        description: `Age of the oldest of them. ${silent}`,
        width: 8,
        unit: "s",
        sql: `SELECT maxIf(${age}, ${at("closed")} = 'open') AS oldest FROM ${longLived}`,
      }),
    )
    .withPanel(
      stat({
        title: "Driven from outside",
        description:
          "Of those open: more exchanges began at the far side and were answered here than the other way round.",
        width: 8,
        sql: `SELECT countIf(${at("remote_led_answered")} > ${at("local_led_answered")}) AS "driven from outside" FROM ${longLived} WHERE ${at("closed")} = 'open'`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "Long-lived connections that moved",
        description: "Distinct connections with a record in each interval, old enough by then.",
        width: 16,
        sql: `SELECT $__timeInterval(batch_at) AS time, uniq(${connectionKey}) AS connections
FROM connections
WHERE $__timeFilter(batch_at) AND outside AND ${opensOut} AND opened_at <= observed_at - toIntervalSecond(\${age}) AND ${hostFilter}
GROUP BY time ORDER BY time`,
      }),
    )
    .withPanel(
      bars({
        title: "Open connections by age",
        description: `Long-lived outbound connections that are open, by age. ${silent}`,
        width: 8,
        sql: `SELECT ['10 to 60 min', '1 to 6 h', '6 to 24 h', '1 to 7 d', 'over 7 d'][band] AS age, count() AS connections
FROM (
  SELECT 1 + (seconds >= 3600) + (seconds >= 21600) + (seconds >= 86400) + (seconds >= 604800) AS band
  FROM (SELECT ${age} AS seconds FROM ${longLived} WHERE ${at("closed")} = 'open')
)
GROUP BY band ORDER BY band`,
      }),
    )
    .withPanel(
      table({
        title: "Oldest open connections",
        description: `Who holds them, to where, and who speaks first. ${silent}`,
        width: 24,
        height: 12,
        columns: {
          host: "host",
          age: { unit: "s" },
          idle: { unit: "s" },
          sent: { unit: "bytes" },
          received: { unit: "bytes" },
        },
        sql: `SELECT ${at("host_name")} AS host, ${at("exe")} AS program, ${at("uid")} AS user, ${at("container_id")} AS container,
  ${endpointText(at("remote_address"), at("remote_port"))} AS "far side", toString(${at("protocol")}) AS protocol, ${age} AS age,
  dateDiff('second', ${at("last_moved_at")}, $__toTime) AS idle, ${at("bytes_sent")} AS sent, ${at("bytes_received")} AS received,
  if(${at("ssh_local_ident OR ssh_remote_ident")}, 'ssh', '') AS speaks,
  ${at("remote_led_answered")} AS "led by far side", ${at("local_led_answered")} AS "led by host", toString(host_id) AS host_id
FROM ${longLived}
WHERE ${at("closed")} = 'open'
ORDER BY age DESC, "far side" LIMIT 200`,
      }),
    )
    .withPanel(
      table({
        title: "Programs",
        description:
          "From hourly sums: the longest connection that each program of each host held, and what it sent and received on connections that ended.",
        width: 12,
        columns: { host: "host", longest: { unit: "s" }, sent: { unit: "bytes" }, received: { unit: "bytes" } },
        sql: `SELECT host_name AS host, exe AS program, uid AS user, max(longest_seconds) AS longest, uniqMerge(connections) AS opened,
  sum(bytes_sent) AS sent, sum(bytes_received) AS received, toString(host_id) AS host_id
FROM outbound_hourly
WHERE $__timeFilter(hour) AND outside AND ${hostFilter}
GROUP BY host_id, host_name, exe, uid
HAVING longest >= \${age}
ORDER BY longest DESC, program LIMIT 200`,
      }),
    )
    .withPanel(
      table({
        title: "Far sides",
        description: "Addresses with long-lived connections, and from how many hosts and programs.",
        width: 12,
        columns: { oldest: { unit: "s" }, sent: { unit: "bytes" }, received: { unit: "bytes" } },
        sql: `SELECT ${addressText("address")} AS "far side", count() AS connections, uniqExact(host_id) AS hosts,
  arrayStringConcat(arraySort(groupUniqArray(5)(program)), ', ') AS programs, max(seconds) AS oldest, sum(sent_bytes) AS sent, sum(received_bytes) AS received
FROM (
  SELECT host_id, ${at("remote_address")} AS address, ${at("exe")} AS program, ${age} AS seconds, ${at("bytes_sent")} AS sent_bytes,
    ${at("bytes_received")} AS received_bytes
  FROM ${longLived}
)
GROUP BY address ORDER BY oldest DESC, "far side" LIMIT 200`,
      }),
    )
