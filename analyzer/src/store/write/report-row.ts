import { reportedLostKinds } from "../../domain/lost.js"
import type { Output } from "../../domain/output.js"
import type { MetricSample } from "../../telemetry/metrics.js"
import { cookieNumber, unsigned, wellFormed } from "../schema/values.js"

/** Texts of rows in the order of `couplingColumns`. */
export function couplingRows({ host, couplings }: Output): string[] {
  return couplings.map((sample) =>
    JSON.stringify([
      wellFormed(host.hostId),
      wellFormed(host.bootId),
      cookieNumber(sample.cookie),
      wellFormed(sample.group),
      wellFormed(sample.channel),
      unsigned(sample.atUs),
      unsigned(sample.opened),
      unsigned(sample.forwardIn),
      unsigned(sample.forwardOut),
      unsigned(sample.backwardIn),
      unsigned(sample.backwardOut),
    ]),
  )
}

/** Text of one row in the order of `hostReportColumns`; none where the output has no report. */
export function hostReportRows({ host, lost, report }: Output): string[] {
  if (report === undefined) return []
  return [
    JSON.stringify([
      wellFormed(host.hostId),
      wellFormed(host.bootId),
      wellFormed(host.instance),
      wellFormed(host.hostName),
      unsigned(report.atUs),
      wellFormed(host.kernel),
      wellFormed(host.collectorVersion),
      host.degraded.map(({ feature }) => wellFormed(feature)),
      unsigned(report.liveConnections),
      unsigned(report.processes),
      unsigned(report.evicted),
      ...reportedLostKinds.map((kind) => unsigned(lost[kind])),
    ]),
  ]
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
