import { wellFormed } from "./values.js"

/** One value of one counter or gauge, by its name on /metrics. */
export interface MetricSample {
  readonly atMs: number
  /** Which analyzer. */
  readonly source: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Text of one row in the order of `metricColumns`. What is not a number becomes 0, which JSON and sums can take. */
export function metricRow({ atMs, source, name, labels, value }: MetricSample): string {
  return JSON.stringify([
    (Math.max(0, atMs) / 1_000).toFixed(3),
    wellFormed(source),
    wellFormed(name),
    Object.fromEntries(Object.entries(labels).map(([label, text]) => [wellFormed(label), wellFormed(text)])),
    Number.isFinite(value) ? value : 0,
  ])
}
