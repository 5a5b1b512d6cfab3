import { bucketInRange, hostChosen, increaseOf, lookBack, lostInKernel, shedByCollector } from "../sql.js"
import { timeSeries } from "./panel.js"

const series = "host_id, instance"

/** What collectors lost between one interval and the next, of the chosen hosts. */
export const lossesOverTime = (width: number) =>
  timeSeries({
    title: "Lost, shed and rejected",
    description:
      "Records for which the kernel had no room, that the collector shed while the analyzer was away or slow, and that it could not read. A running collector that did not report in the 10 min before the range counts in full when it does.",
    width,
    bars: true,
    finest: "1m",
    sql: `SELECT time, sum(kernel_more) AS "lost in the kernel", sum(shed_more) AS "shed by collectors", sum(unread_more) AS rejected
FROM (
  SELECT time, ${increaseOf("kernel", series)} AS kernel_more, ${increaseOf("shed", series)} AS shed_more,
    ${increaseOf("unread", series)} AS unread_more
  FROM (
    SELECT $__timeInterval(at) AS time, host_id, instance,
      max(${lostInKernel}) AS kernel, max(${shedByCollector}) AS shed, max(rejected) AS unread
    FROM host_reports
    WHERE at >= $__fromTime - ${lookBack} AND at <= $__toTime AND ${hostChosen}
    GROUP BY time, host_id, instance
  )
)
WHERE ${bucketInRange}
GROUP BY time ORDER BY time`,
  })
