import { uids } from "../links.js"
import { stat, table, timeSeries } from "../panels/panel.js"
import { connectionKey, endpointText, hostFilter, opensOut } from "../sql.js"
import { hostVariable } from "../variables.js"
import { frame } from "./frame.js"

/** Ports that mining pools are known for. A list to start from, and not measured: a miner may take any other, see the shape. */
const poolPorts = [3333, 3334, 3335, 4444, 5555, 6666, 7777, 8333, 9999, 14433, 14444, 20535, 45560, 45700] as const

/**
 * The shape of stratum, on any port, plain or in TLS: open for 10 min and more, and jobs and shares go both ways at a few
 * bytes a second. 200 B/s is some ten times what a pool with fast shares asks of one worker; below 1 B/s is keep-alive.
 */
const shape = { seconds: 600, minRate: 1, maxRate: 200, maxRatio: 8 }

const inside = `outbound_hourly WHERE $__timeFilter(hour) AND NOT outside AND ${hostFilter}`
const outside = `outbound_hourly WHERE $__timeFilter(hour) AND outside AND ${hostFilter}`

/** The last state of connections that are old enough, with the rates of their whole life. */
const steady = (where: string) => `(
  SELECT host_id, any(host_name) AS name, any(exe) AS program, any(uid) AS user, any(container_id) AS container, any(remote_address) AS address,
    any(remote_port) AS port, max(dateDiff('second', opened_at, observed_at)) AS seconds, max(bytes_sent) AS sent_bytes,
    max(bytes_received) AS received_bytes, max(closed) AS ended
  FROM connections
  WHERE $__timeFilter(batch_at) AND outside AND ${opensOut} AND protocol = 'tcp' AND ${hostFilter}
    AND opened_at <= observed_at - toIntervalSecond(${shape.seconds}) AND ${where}
  GROUP BY ${connectionKey}
)`

const rates = `bytes_sent BETWEEN ${shape.minRate} * dateDiff('second', opened_at, observed_at) AND ${shape.maxRate} * dateDiff('second', opened_at, observed_at)
    AND bytes_received BETWEEN ${shape.minRate} * dateDiff('second', opened_at, observed_at) AND ${shape.maxRate} * dateDiff('second', opened_at, observed_at)`

const balanced = `greatest(sent_bytes, received_bytes) <= ${shape.maxRatio} * least(sent_bytes, received_bytes)`

const steadyTable = (title: string, description: string, where: string, having: string) =>
  table({
    title,
    description,
    width: 12,
    columns: { host: "host", age: { unit: "s" }, sent: { unit: "Bps" }, received: { unit: "Bps" } },
    sql: `SELECT name AS host, program, user, ${endpointText("address", "port")} AS "far side", seconds AS age,
  round(sent_bytes / seconds, 1) AS sent, round(received_bytes / seconds, 1) AS received, if(ended = 'open', 'open', 'ended') AS state, toString(host_id) AS host_id
FROM ${steady(where)}
WHERE ${having}
ORDER BY age DESC, "far side" LIMIT 200`,
  })

const inPorts = `remote_port IN (${poolPorts.join(", ")})`

export const exploration = () =>
  frame({
    uid: uids.exploration,
    title: "Backflow: exploration and mining",
    description: "What tends to follow a way in: probing of what lies inside, mining, and bulk upload.",
    from: "now-24h",
    variables: [hostVariable()],
  })
    .withPanel(
      stat({
        title: "Widest fan-out inside",
        description: "Most distinct inside addresses that one program of one user on one host reached in one hour.",
        width: 8,
        sql: `SELECT max(reached) AS addresses FROM (
  SELECT uniqMerge(addresses) AS reached FROM ${inside} GROUP BY hour, host_id, container_id, uid, exe
)`,
      }),
    )
    .withPanel(
      stat({
        title: "Miners, by shape",
        description: `Outbound connections of the range with the shape of stratum: ${shape.seconds / 60} min and more, ${shape.minRate} to ${shape.maxRate} B/s each way. Message brokers and chat look alike: look who holds them.`,
        width: 8,
        sql: `SELECT countIf(${balanced}) AS connections FROM ${steady(rates)}`,
      }),
    )
    .withPanel(
      stat({
        title: "Uploaded by the busiest program",
        description: "Bytes sent to the outside on connections that ended within the range.",
        width: 8,
        unit: "bytes",
        sql: `SELECT max(sent) AS sent FROM (SELECT sum(bytes_sent) AS sent FROM ${outside} GROUP BY host_id, container_id, uid, exe)`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "Inside addresses reached in an hour, by program",
        description:
          "Distinct addresses, of the ten programs with the widest fan-out. A scan is a step, a busy service a level.",
        width: 12,
        minInterval: "1h",
        bars: true,
        sql: `SELECT toDateTime(hour) AS time, exe AS name, uniqMerge(addresses) AS addresses
FROM ${inside} AND exe IN (SELECT exe FROM ${inside} GROUP BY exe ORDER BY uniqMerge(addresses) DESC LIMIT 10)
GROUP BY time, name ORDER BY time, name`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "Bytes sent outside, by program",
        description: "In the hour in which the connections ended, of the ten programs that sent most.",
        width: 12,
        minInterval: "1h",
        unit: "bytes",
        bars: true,
        sql: `SELECT toDateTime(hour) AS time, exe AS name, sum(bytes_sent) AS sent
FROM ${outside} AND exe IN (SELECT exe FROM ${outside} GROUP BY exe HAVING sum(bytes_sent) > 0 ORDER BY sum(bytes_sent) DESC LIMIT 10)
GROUP BY time, name ORDER BY time, name`,
      }),
    )
    .withPanel(
      table({
        title: "Fan-out inside",
        description:
          "Distinct addresses and endpoints (address and port) that each program reached inside, over the range and in its widest hour.",
        width: 12,
        columns: { host: "host" },
        sql: `SELECT any(host_name) AS host, exe AS program, uid AS user, container_id AS container, uniqMerge(hour_addresses) AS addresses,
  uniqMerge(hour_endpoints) AS endpoints, max(widest) AS "in one hour", toString(host_id) AS host_id
FROM (
  SELECT host_id, any(host_name) AS host_name, exe, uid, container_id, uniqMergeState(addresses) AS hour_addresses,
    uniqMergeState(endpoints) AS hour_endpoints, uniqMerge(endpoints) AS widest
  FROM ${inside}
  GROUP BY hour, host_id, exe, uid, container_id
)
GROUP BY host_id, exe, uid, container_id ORDER BY endpoints DESC, host, program LIMIT 100`,
      }),
    )
    .withPanel(
      table({
        title: "Upload",
        description:
          "What each program sent to the outside and received from it, on connections that ended within the range.",
        width: 12,
        columns: { host: "host", sent: { unit: "bytes" }, received: { unit: "bytes" } },
        sql: `SELECT any(host_name) AS host, exe AS program, uid AS user, container_id AS container, sum(bytes_sent) AS sent, sum(bytes_received) AS received,
  uniqMerge(addresses) AS addresses, toString(host_id) AS host_id
FROM ${outside}
GROUP BY host_id, exe, uid, container_id HAVING sent > 0 ORDER BY sent DESC, host, program LIMIT 100`,
      }),
    )
    .withPanel(
      steadyTable(
        "Shaped like mining",
        "Long-lived outbound TCP connections on any port that carry little, about as much each way. Message brokers and chat look alike.",
        rates,
        balanced,
      ),
    )
    .withPanel(
      steadyTable(
        "On ports of mining pools",
        `Long-lived outbound TCP connections to ports ${poolPorts.join(", ")}, whatever they carry.`,
        inPorts,
        "seconds > 0",
      ),
    )
