import { bucketInRange, hostFilter, increaseOf, lookBack } from "../sql.js"
import { timeSeries } from "./panel.js"

/** Every kind of loss: the columns of `host_reports` that count it, by where it happened. */
const lossColumns = {
  kernel: [
    "lost_ring_connection",
    "lost_ring_exec",
    "lost_ring_exit",
    "lost_map_socket",
    "lost_map_edge",
    "lost_map_group",
    "lost_walk_descriptor",
  ],
  collector: ["shed_interim", "shed_final"],
  analyzer: ["rejected"],
} as const

const lostInKernel = lossColumns.kernel.join(" + ")
const shedByCollector = lossColumns.collector.join(" + ")
const rejected = lossColumns.analyzer.join(" + ")

/** Reports of the range, and of the time before it in which running totals are read. */
const inRange = `at >= $__fromTime - ${lookBack} AND at <= $__toTime AND ${hostFilter}`

const totalAndBefore = (columns: string, total: string, name: string) =>
  `max(${columns}) AS ${total}, maxIf(${columns}, at < $__fromTime) AS ${name}_before`

/**
 * What each collector run had lost by the end of the range and before it, as the end of a subquery's SELECT, grouped by
 * host and run. `kernel` names the column for the kernel's losses, which may clash with the kernel's version.
 */
export const lossTotals = (kernel: string) => `${totalAndBefore(lostInKernel, kernel, "kernel")},
    ${totalAndBefore(shedByCollector, "shed", "shed")},
    ${totalAndBefore(rejected, "unread", "unread")}
  FROM host_reports
  WHERE ${inRange}
  GROUP BY host_id, instance`

const series = "host_id, instance"

/** What collectors lost between one interval and the next, of the chosen hosts. */
export const lossesOverTime = (width: number) =>
  timeSeries({
    title: "Lost, shed and rejected",
    description:
      "Records for which the kernel had no room, that the collector shed while the analyzer was away or slow, and that it could not read. A running collector that did not report in the 10 min before the range counts in full when it does.",
    width,
    bars: true,
    minInterval: "1m",
    sql: `SELECT time, sum(kernel_more) AS "lost in the kernel", sum(shed_more) AS "shed by collectors", sum(unread_more) AS rejected
FROM (
  SELECT time, ${increaseOf("kernel", series)} AS kernel_more, ${increaseOf("shed", series)} AS shed_more,
    ${increaseOf("unread", series)} AS unread_more
  FROM (
    SELECT $__timeInterval(at) AS time, host_id, instance,
      max(${lostInKernel}) AS kernel, max(${shedByCollector}) AS shed, max(${rejected}) AS unread
    FROM host_reports
    WHERE ${inRange}
    GROUP BY time, host_id, instance
  )
)
WHERE ${bucketInRange}
GROUP BY time ORDER BY time`,
  })
