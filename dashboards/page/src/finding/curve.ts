import type { CouplingCurve } from "../../contract.js"

/** The four sums of a channel at one moment, in the words of the picture. */
export const series = [
  { key: "forwardIn", label: "in from outside", way: "in" },
  { key: "forwardOut", label: "on to inside", way: "in" },
  { key: "backwardIn", label: "back from inside", way: "out" },
  { key: "backwardOut", label: "out to outside", way: "out" },
] as const

export type SeriesKey = (typeof series)[number]["key"]

/** What a chart draws: seconds since the epoch, then one array for each series. */
export type ChartColumns = [number[], ...number[][]]

/** Totals so far as a chart takes them; equal moments keep the last point. */
export function totals(curve: CouplingCurve): ChartColumns {
  const columns: ChartColumns = [[], ...series.map(() => [] as number[])]
  curve.at.forEach((at, i) => {
    const isRepeat = columns[0].at(-1) === at / 1_000
    if (isRepeat) for (const column of columns) column.pop()
    columns[0].push(at / 1_000)
    series.forEach(({ key }, n) => columns[n + 1]?.push(curve[key][i] ?? 0))
  })
  return columns
}

/** The last total of each series. */
export function latest(curve: CouplingCurve): Readonly<Record<SeriesKey, number>> {
  return {
    forwardIn: curve.forwardIn.at(-1) ?? 0,
    forwardOut: curve.forwardOut.at(-1) ?? 0,
    backwardIn: curve.backwardIn.at(-1) ?? 0,
    backwardOut: curve.backwardOut.at(-1) ?? 0,
  }
}

/** The channel through which most went comes first. */
export function busiestFirst(curves: readonly CouplingCurve[]): readonly CouplingCurve[] {
  const weight = (curve: CouplingCurve) => latest(curve).forwardOut + latest(curve).backwardIn
  return [...curves].sort((a, b) => weight(b) - weight(a) || (a.channel < b.channel ? -1 : 1))
}
