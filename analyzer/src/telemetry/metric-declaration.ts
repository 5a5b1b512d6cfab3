import type { FindingClass } from "../domain/finding-classes.js"
import type { Severity } from "../domain/severity.js"
import type { AnalyzerStatus, AlertStatus } from "./status.js"

/** Where the values of metrics come from, outside of the metrics themselves. */
export interface MetricValues {
  readonly version: string
  readonly analyzer: () => AnalyzerStatus
  readonly alerts: () => readonly AlertStatus[]
  /** Findings that began in this run. */
  readonly findings: () => readonly {
    readonly class: FindingClass
    readonly severity: Severity
    readonly count: number
  }[]
  /** The longest of the last minute, in seconds. */
  readonly eventLoopStall: () => number
  readonly page: () => { readonly sessions: number; readonly refused: ReadonlyMap<string, number> }
}

export interface MetricSource extends MetricValues {
  /** Times that the samples were not written to the store. */
  readonly skippedSamples: () => number
}

export type Labels = Readonly<Record<string, string>>
export type Reading = readonly [labels: Labels, value: number]

/** Everything about a metric, once. `read` gives what it is now. */
export interface MetricDeclaration {
  readonly name: `backflow_${string}`
  readonly type: "counter" | "gauge"
  readonly help: string
  readonly labels: readonly string[]
  readonly unit: string
  /** Which part of the analyzer counts it. */
  readonly source: string
  readonly read: (source: MetricSource) => readonly Reading[]
}
