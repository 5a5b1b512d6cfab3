import { uids } from "../links.js"
import { minInterval, gauge, increases, rate } from "../panels/counters.js"
import { lossTotals, lossesOverTime } from "../panels/losses.js"
import { stat, table, timeSeries } from "../panels/panel.js"
import { hostFilter } from "../sql.js"
import { hostVariable } from "../variables.js"
import { frame } from "./frame.js"

const total = (metric: string, text: { title: string; description: string; unit?: string; alarmAt?: number }) =>
  stat({
    width: 4,
    ...text,
    sql: `SELECT sum(last_value) AS value FROM (
  SELECT argMax(value, at) AS last_value FROM metrics
  WHERE name = '${metric}' AND $__timeFilter(at) GROUP BY source, toString(labels)
)`,
  })

const rise = (metrics: readonly string[], text: { title: string; description: string }) =>
  stat({ width: 4, alarmAt: 1, ...text, sql: `SELECT sum(more) AS value FROM ${increases(metrics)}` })

export const pipeline = () =>
  frame({
    uid: uids.pipeline,
    title: "Backflow: pipeline health",
    description:
      "Whether what collectors see arrives, is stored, and reaches those who must know; and what was lost on the way.",
    from: "now-6h",
    variables: [hostVariable()],
  })
    .withPanel(
      total("backflow_collector_streams", {
        title: "Collector streams",
        description: "Open streams at the last sample within the range.",
      }),
    )
    .withPanel(
      stat({
        title: "Event to stored",
        description: "Seconds from the kernel's event to its durable record, on the average of the range.",
        width: 4,
        unit: "s",
        sql: `SELECT if(sumIf(more, metric = 'backflow_event_to_stored_seconds_count') = 0, NULL,
  sumIf(more, metric = 'backflow_event_to_stored_seconds_sum') / sumIf(more, metric = 'backflow_event_to_stored_seconds_count')) AS seconds
FROM ${increases(["backflow_event_to_stored_seconds_sum", "backflow_event_to_stored_seconds_count"])}`,
      }),
    )
    .withPanel(
      total("backflow_outbox_depth", {
        title: "Alerts that wait",
        description: "In all outboxes, at the last sample within the range.",
      }),
    )
    .withPanel(
      rise(["backflow_write_failures_total", "backflow_alert_errors_total"], {
        title: "Failures",
        description: "Failed writes to the store and to alert sinks within the range. They are tried again.",
      }),
    )
    .withPanel(
      rise(
        [
          "backflow_outputs_shed_total",
          "backflow_alerts_shed_total",
          "backflow_alerts_refused_total",
          "backflow_alerts_torn_total",
        ],
        {
          title: "Given up",
          description:
            "Outputs and alerts that a sink gave up, for lack of room or because they were refused for good, within the range. These are lost to it.",
        },
      ),
    )
    .withPanel(
      rise(["backflow_rejected_total"], {
        title: "Rejected",
        description: "Messages that could not be decoded or were out of bounds, within the range.",
      }),
    )
    .withPanel(
      timeSeries({
        title: "Rows stored",
        description: "Connection records in each second, by what they tell. From the records themselves.",
        width: 12,
        unit: "rowsps",
        sql: `SELECT $__timeInterval(batch_at) AS time, toString(reason) AS name, count() / $__interval_s AS "rows"
FROM connections WHERE $__timeFilter(batch_at) AND ${hostFilter}
GROUP BY time, name ORDER BY time, name`,
      }),
    )
    .withPanel(
      timeSeries({
        title: "From event to stored",
        minInterval,
        description: "Seconds from the kernel's event to its durable record, on the average of each interval.",
        width: 12,
        unit: "s",
        sql: `SELECT time, sumIf(more, metric = 'backflow_event_to_stored_seconds_sum') / sumIf(more, metric = 'backflow_event_to_stored_seconds_count') AS seconds
FROM ${increases(["backflow_event_to_stored_seconds_sum", "backflow_event_to_stored_seconds_count"])}
GROUP BY time HAVING sumIf(more, metric = 'backflow_event_to_stored_seconds_count') > 0 ORDER BY time`,
      }),
    )
    .withPanel(lossesOverTime(12))
    .withPanel(
      gauge({
        title: "Messages that wait",
        description: "From collectors, to be analysed, by analyzer.",
        width: 6,
        metric: "backflow_intake_messages",
      }),
    )
    .withPanel(
      gauge({
        title: "Bytes that wait",
        description: "Of messages from collectors, by analyzer.",
        width: 6,
        metric: "backflow_intake_bytes",
        unit: "bytes",
      }),
    )
    .withPanel(
      rate({
        title: "Batches written",
        description: "By sink.",
        width: 8,
        metric: "backflow_batches_written_total",
        label: "sink",
        unit: "cps",
      }),
    )
    .withPanel(
      rate({
        title: "Write failures",
        description: "By sink. A failed write is repeated.",
        width: 8,
        metric: "backflow_write_failures_total",
        label: "sink",
        unit: "cps",
      }),
    )
    .withPanel(
      gauge({
        title: "Outputs that wait",
        description: "By sink, in memory.",
        width: 8,
        metric: "backflow_outputs_waiting",
        label: "sink",
      }),
    )
    .withPanel(
      gauge({
        title: "Outbox: oldest alert",
        description: "Age of the oldest alert that was not acknowledged, by sink.",
        width: 8,
        metric: "backflow_outbox_oldest_seconds",
        label: "sink",
        unit: "s",
      }),
    )
    .withPanel(
      gauge({
        title: "Outbox: alerts",
        description: "Alerts that wait on disk, by sink.",
        width: 8,
        metric: "backflow_outbox_depth",
        label: "sink",
      }),
    )
    .withPanel(
      gauge({
        title: "Outbox: bytes",
        description: "Room that they take, by sink.",
        width: 8,
        metric: "backflow_outbox_bytes",
        label: "sink",
        unit: "bytes",
      }),
    )
    .withPanel(
      rate({
        title: "Alerts published",
        description: "Acknowledged by where they went, by sink.",
        width: 8,
        metric: "backflow_alerts_published_total",
        label: "sink",
        unit: "cps",
      }),
    )
    .withPanel(
      rate({
        title: "Alert errors",
        description: "Attempts that failed, by sink.",
        width: 8,
        metric: "backflow_alert_errors_total",
        label: "sink",
        unit: "cps",
      }),
    )
    .withPanel(
      rate({
        title: "Rejected by reason",
        description: "What collectors sent that was not taken.",
        width: 8,
        metric: "backflow_rejected_total",
        label: "reason",
        unit: "cps",
      }),
    )
    .withPanel(
      rate({
        title: "Findings by class",
        description: "Findings that began.",
        width: 12,
        metric: "backflow_findings_total",
        label: "class",
        unit: "cps",
      }),
    )
    .withPanel(
      table({
        title: "Analyzers",
        description: "Which release each of them runs.",
        width: 12,
        sql: `SELECT toString(source) AS analyzer, labels['version'] AS release, min(at) AS since, max(at) AS "last sample"
FROM metrics WHERE name = 'backflow_build_info' AND $__timeFilter(at)
GROUP BY analyzer, release ORDER BY analyzer, since LIMIT 100`,
      }),
    )
    .withPanel(
      table({
        title: "Hosts that lost something or watch less than they could",
        description:
          "Hosts whose collectors lost, shed or rejected records within the range, and those with degraded hooks.",
        width: 24,
        columns: { host: "host" },
        sql: `SELECT any(name) AS host, sum(in_kernel - kernel_before) AS lost, sum(shed - shed_before) AS shed, sum(unread - unread_before) AS rejected,
  arrayStringConcat(arraySort(arrayDistinct(arrayFlatten(groupArray(features)))), ', ') AS degraded, any(kernel_version) AS kernel, toString(host_id) AS host_id
FROM (
  SELECT host_id, instance, any(host_name) AS name, argMax(kernel, at) AS kernel_version, argMax(degraded, at) AS features,
    ${lossTotals("in_kernel")}
)
GROUP BY host_id HAVING lost + shed + rejected > 0 OR degraded != ''
ORDER BY lost + shed + rejected DESC, host LIMIT 500`,
      }),
    )
