import { uids } from "../links.js"
import { nodeGraph, stat, table, timeSeries } from "../panels/panel.js"
import {
  addressText,
  bucketInRange,
  connectionKey,
  endpointText,
  findingFilter,
  increaseOf,
  latestFindings,
  levelFilter,
  seenInRange,
} from "../sql.js"
import { classVariable, findingVariable, hostVariable, severityVariable } from "../variables.js"
import { frame } from "./frame.js"

/** Of more at a time no graph can be read. */
const maxWays = 50

const columns =
  "id, severity AS level, class, status, host_id, host_name, boot_id, cookie, pid, exe, uid, container_id, remote_address, remote_port, first_seen, last_seen, still_open, summary"

/** Findings of the range, or the one that was named. */
const ways = `(
  SELECT id, level, class, status, ${connectionKey}, host_name, pid, exe, uid, container_id, remote_address, remote_port,
    first_seen, last_seen, still_open, summary
  FROM ${latestFindings(columns, findingFilter)}
  WHERE ${seenInRange} AND ${levelFilter}
)`

const latestWays = `(SELECT ${connectionKey} FROM ${ways} GROUP BY ${connectionKey} ORDER BY max(last_seen) DESC, ${connectionKey} LIMIT ${maxWays})`

/** What each channel carried by the end of the range. `couplings` is sorted by connection: the rest is not read. */
const channelTotals = `(
  SELECT ${connectionKey}, channel, sum(opened_so_far) AS opened_times, sum(fi) AS in_on_a, sum(fo) AS into_b, sum(bi) AS out_of_b,
    sum(bo) AS out_on_a, min(first_at) AS first_used, max(last_at) AS last_used
  FROM (
    SELECT ${connectionKey}, edge_group, channel, max(opened) AS opened_so_far, max(forward_in) AS fi, max(forward_out) AS fo,
      max(backward_in) AS bi, max(backward_out) AS bo, min(at) AS first_at, max(at) AS last_at
    FROM couplings
    WHERE (${connectionKey}) IN ${latestWays} AND at <= $__toTime
    GROUP BY ${connectionKey}, edge_group, channel
  )
  GROUP BY ${connectionKey}, channel
)`

const series = `${connectionKey}, edge_group, channel`

/** Running totals at the end of each interval, and from them what came in it. */
const increases = `(
  SELECT time, channel, ${increaseOf("fi", series)} AS in_on_a, ${increaseOf("fo", series)} AS into_b,
    ${increaseOf("bi", series)} AS out_of_b, ${increaseOf("bo", series)} AS out_on_a
  FROM (
    SELECT $__timeInterval(at) AS time, ${series}, max(forward_in) AS fi, max(forward_out) AS fo, max(backward_in) AS bi, max(backward_out) AS bo
    FROM couplings
    WHERE (${connectionKey}) IN ${latestWays} AND at <= $__toTime
    GROUP BY time, ${series}
  )
)`

const waysTable = (live: boolean) =>
  table({
    title: live ? "Live ways in" : "Past ways in",
    description: live
      ? "Open connections through which somebody outside can work, or works, and what inside they touched. A click on the id shows one alone."
      : "The same, of connections that ended within the range, and of attempts.",
    width: 24,
    height: 6,
    columns: {
      severity: "severity",
      id: "finding",
      age: { unit: "s" },
      "carried in": { unit: "bytes" },
      "carried out": { unit: "bytes" },
    },
    sql: `SELECT toString(level) AS severity, toString(class) AS class, toString(status) AS status, host_name AS host, exe AS program, uid AS user,
  ${endpointText("remote_address", "remote_port")} AS "far side", dateDiff('second', first_seen, last_seen) AS age,
  arrayStringConcat(touched, ', ') AS touched, carried_in AS "carried in", carried_out AS "carried out",
  summary, last_seen AS "last seen", toString(id) AS id
FROM ${ways} AS ways
LEFT JOIN (
  SELECT ${connectionKey}, arraySort(groupUniqArray(100)(channel)) AS touched, sum(in_on_a) AS carried_in, sum(out_on_a) AS carried_out
  FROM ${channelTotals} GROUP BY ${connectionKey}
) AS curves USING (${connectionKey})
WHERE ${live ? "still_open" : "NOT still_open"}
ORDER BY level DESC, first_seen LIMIT 200`,
  })

const far = (row: string) => addressText(`${row}remote_address`)

export const waysIn = () =>
  frame({
    uid: uids.waysIn,
    title: "Backflow: ways in",
    description:
      "Tunnels and shells that let somebody outside work inside: who, to where, for how long, and what they touched.",
    from: "now-24h",
    variables: [hostVariable(), severityVariable(), classVariable(), findingVariable()],
    hasClass: true,
  })
    .withPanel(
      stat({
        title: "Open now",
        description: "Findings whose connection is open, those approved by policy apart.",
        width: 6,
        alarmAt: 1,
        sql: `SELECT countIf(status NOT IN ('expected', 'proof')) AS live, countIf(status = 'expected') AS approved FROM ${ways} WHERE still_open`,
      }),
    )
    .withPanel(
      stat({
        title: "Oldest live way in",
        description: "How long it was seen; of those that policy did not approve.",
        width: 6,
        unit: "s",
        sql: `SELECT max(dateDiff('second', first_seen, $__toTime)) AS oldest FROM ${ways} WHERE still_open AND status NOT IN ('expected', 'proof')`,
      }),
    )
    .withPanel(
      stat({
        title: "Things touched inside",
        description: "Services, sockets, shells and terminals that ways in of the range reached.",
        width: 6,
        sql: `SELECT uniqExact(host_id, channel) AS touched FROM ${channelTotals}`,
      }),
    )
    .withPanel(
      stat({
        title: "Carried",
        description: `Bytes that came in on the connection to the outside and were passed on, and that left on it; of the ${maxWays} ways in seen last.`,
        width: 6,
        unit: "bytes",
        sql: `SELECT sum(in_on_a) AS "in", sum(out_on_a) AS "out" FROM ${channelTotals}`,
      }),
    )
    .withPanel(waysTable(true))
    .withPanel(
      timeSeries({
        title: "Coupling: in on A, into B, and back",
        description: `A is the connection to the outside, B what it reaches inside. A relay shows four curves of one shape, in two pairs that differ by its framing. Of the ${maxWays} ways in seen last, or of the finding named above.`,
        width: 14,
        height: 10,
        unit: "bytes",
        sql: `SELECT time, sum(in_on_a) AS "1 in on A", sum(into_b) AS "2 into B", sum(out_of_b) AS "3 out of B", sum(out_on_a) AS "4 out on A"
FROM ${increases} WHERE ${bucketInRange} GROUP BY time ORDER BY time`,
      }),
    )
    .withPanel(
      nodeGraph({
        title: "Who reaches what",
        description:
          "From the far side through a process to what it touched inside; edges carry the bytes that came from outside.",
        width: 10,
        height: 10,
        sql: `SELECT concat('far ', ${far("")}) AS id, ${far("")} AS title, 'outside' AS subtitle, toString(count()) AS mainstat
FROM ${ways} WHERE remote_port > 0 GROUP BY remote_address
UNION ALL
SELECT concat(host_id, ' ', toString(pid)) AS id, any(exe) AS title, any(host_name) AS subtitle, concat('pid ', toString(pid)) AS mainstat
FROM ${ways} WHERE remote_port > 0 GROUP BY host_id, pid
UNION ALL
SELECT concat(host_id, ' ', channel) AS id, channel AS title, 'inside' AS subtitle, concat(toString(sum(opened_times)), ' times') AS mainstat
FROM ${channelTotals} GROUP BY host_id, channel
ORDER BY id LIMIT 200`,
        edges: `SELECT concat(source, ' > ', target) AS id, source, target, formatReadableSize(sum(bytes)) AS mainstat
FROM (
  SELECT concat('far ', ${far("ways.")}) AS source, concat(ways.host_id, ' ', toString(ways.pid)) AS target, toUInt64(sum(curves.in_on_a)) AS bytes
  FROM ${ways} AS ways LEFT JOIN ${channelTotals} AS curves USING (${connectionKey})
  WHERE ways.remote_port > 0 GROUP BY source, target
  UNION ALL
  SELECT concat(ways.host_id, ' ', toString(ways.pid)) AS source, concat(ways.host_id, ' ', curves.channel) AS target, toUInt64(sum(curves.into_b)) AS bytes
  FROM ${ways} AS ways INNER JOIN ${channelTotals} AS curves USING (${connectionKey})
  GROUP BY source, target
)
GROUP BY source, target ORDER BY id LIMIT 200`,
      }),
    )
    .withPanel(
      table({
        title: "What was touched",
        description:
          "One row for each thing inside. Bytes from the outside to it, and back, as the relay read and wrote them.",
        width: 24,
        height: 6,
        columns: {
          "in on A": { unit: "bytes" },
          "into B": { unit: "bytes" },
          "out of B": { unit: "bytes" },
          "out on A": { unit: "bytes" },
        },
        sql: `SELECT channel AS inside, opened_times AS opened, in_on_a AS "in on A", into_b AS "into B", out_of_b AS "out of B", out_on_a AS "out on A",
  first_used AS "first used", last_used AS "last used", toString(host_id) AS host_id
FROM ${channelTotals} ORDER BY "in on A" DESC, inside LIMIT 200`,
      }),
    )
    .withPanel(
      table({
        title: "Evidence",
        description: "What each finding rests on, so that a person can check it. The latest first.",
        width: 24,
        height: 6,
        columns: { id: "finding" },
        sql: `SELECT parseDateTime64BestEffortOrNull(JSONExtractString(item, 'at'), 6, 'UTC') AS at, class, JSONExtractString(item, 'kind') AS kind,
  JSONExtractString(item, 'text') AS evidence, JSONExtractRaw(item, 'facts') AS facts, id
FROM (
  SELECT toString(id) AS id, toString(class) AS class, arrayJoin(JSONExtractArrayRaw(document, 'evidence')) AS item
  FROM ${latestFindings("id, class, still_open, last_seen, document", findingFilter)}
  WHERE ${seenInRange}
  ORDER BY last_seen DESC LIMIT 500
)
ORDER BY at DESC LIMIT 500`,
      }),
    )
    .withPanel(waysTable(false))
