/**
 * What the data source plugin puts in place of its macros, by version 4.20 of its source: so that tests, the benchmark and
 * the preview run the statements that ClickHouse gets from Grafana. Macros that no dashboard uses are not here.
 */
export interface Range {
  /** Seconds since the Unix epoch. */
  readonly from: number
  readonly to: number
  /** Of one point of a graph: what Grafana makes of the range and the width of the panel. */
  readonly intervalSeconds: number
}

const moment = (seconds: number) => `toDateTime(${Math.trunc(seconds)})`

const withColumn: Readonly<Record<string, (column: string, range: Range) => string>> = {
  timeFilter: (column, { from, to }) => `${column} >= ${moment(from)} AND ${column} <= ${moment(to)}`,
  timeInterval: (column, { intervalSeconds }) =>
    `toStartOfInterval(toDateTime(${column}), INTERVAL ${wholeSeconds(intervalSeconds)} second)`,
}

const alone: Readonly<Record<string, (range: Range) => string>> = {
  fromTime: ({ from }) => moment(from),
  toTime: ({ to }) => moment(to),
  interval_s: ({ intervalSeconds }) => String(wholeSeconds(intervalSeconds)),
}

const wholeSeconds = (interval: number) => Math.trunc(Math.max(interval, 1))

/** Throws on a macro that is not known. */
export function expandMacros(sql: string, range: Range): string {
  return sql
    .replaceAll(/\$__(\w+)\(([^()]*)\)/g, (whole, name: string, column: string) => {
      const expand = withColumn[name]
      if (expand === undefined) throw new RangeError(`no macro ${whole}`)
      return expand(column, range)
    })
    .replaceAll(/\$__(\w+)/g, (whole, name: string) => {
      const expand = alone[name]
      if (expand === undefined) throw new RangeError(`no macro ${whole}`)
      return expand(range)
    })
}
