import { bucketInRange, lookBack } from "../sql.js"
import { timeSeries } from "./panel.js"
import type { PanelText } from "./panel.js"

/** A name of /metrics, and the label whose values make the series; without one each analyzer is one. */
export interface Sampled extends Omit<PanelText, "sql"> {
  readonly metric: string
  readonly label?: string
}

/** Four samples: in a shorter one there may be none, and the next would count double. */
export const minInterval = "1m"

const nameOf = (label: string | undefined) =>
  label === undefined ? "toString(source)" : `if(labels['${label}'] = '', toString(source), labels['${label}'])`

/** A value at the end of each interval, summed over analyzers and other labels. */
export const gauge = ({ metric, label, ...text }: Sampled) =>
  timeSeries({
    ...text,
    minInterval,
    sql: `SELECT time, line AS name, sum(last_value) AS value
FROM (
  SELECT $__timeInterval(at) AS time, ${nameOf(label)} AS line, argMax(value, at) AS last_value
  FROM metrics
  WHERE name = '${metric}' AND $__timeFilter(at)
  GROUP BY time, line, source, toString(labels)
)
GROUP BY time, name ORDER BY time, name`,
  })

/** Rows of what counters rose by in each interval. A counter that fell began anew with its analyzer. */
export const increases = (metrics: readonly string[], label?: string) => `(
  SELECT time, metric, line, if(total < before, total, total - before) AS more
  FROM (
    SELECT time, metric, line, total,
      lagInFrame(total, 1, 0) OVER (PARTITION BY metric, source, series ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM (
      SELECT $__timeInterval(at) AS time, name AS metric, source, toString(labels) AS series, any(${nameOf(label)}) AS line, argMax(value, at) AS total
      FROM metrics
      WHERE name IN (${metrics.map((name) => `'${name}'`).join(", ")}) AND at >= $__fromTime - ${lookBack} AND at <= $__toTime
      GROUP BY time, metric, source, series
    )
  )
  WHERE ${bucketInRange}
)`

/** How much a counter rose in each second, on the average of each interval. */
export const rate = ({ metric, label, ...text }: Sampled) =>
  timeSeries({
    ...text,
    minInterval,
    sql: `SELECT time, line AS name, sum(more) / $__interval_s AS "per second"
FROM ${increases([metric], label)}
GROUP BY time, name ORDER BY time, name`,
  })
