import type { LabFinding } from "../lab/watch.js"
import { isFound, names } from "./canaries.js"
import type { CanaryResult } from "./canaries.js"
import type { Product } from "./product.js"

/** What the receiver of alerts got. */
export interface AlertFigures {
  /** Findings of the flood's own processes that are grave enough to be alerted. */
  readonly findingsOfFlood: number
  /** Alerts of them that had arrived by the end. */
  readonly alertsOfFlood: number
  /** The first canary that was found during or after the flood: its place among the alerts since, and how long it took. */
  readonly canary: { readonly position: number; readonly delaySeconds: number } | "none found" | "not by the end"
}

const alerted = ["medium", "high", "critical"]

/** `sinceUs`: wall clock at which the flood of process `pid` began. */
export function alertsOf(
  { watch, receiver }: Product,
  pid: number,
  sinceUs: number,
  canaries: readonly CanaryResult[],
): AlertFigures {
  const isOfFlood = (finding: LabFinding) => alerted.includes(finding.severity) && names(finding, pid)
  const since = receiver.alerts.filter(({ atUs }) => atUs >= sinceUs)
  const found = canaries.find((one) => one.when !== "before" && isFound(one))
  const arrival = watch.arrivals.find(({ finding }) => finding.id === found?.finding)
  const position = since.findIndex(({ finding }) => finding.id === found?.finding)
  const received = since[position]
  return {
    findingsOfFlood: new Set(watch.arrivals.filter((a) => isOfFlood(a.finding)).map((a) => a.finding.id)).size,
    alertsOfFlood: receiver.alerts.filter(({ finding }) => isOfFlood(finding)).length,
    canary:
      arrival === undefined
        ? "none found"
        : received === undefined
          ? "not by the end"
          : { position: position + 1, delaySeconds: (received.atUs - arrival.atUs) / 1e6 },
  }
}
