import type { LabFinding } from "../lab/watch.js"
import { names } from "./canaries.js"
import type { Product } from "./product.js"

/** What the receiver of alerts got. */
export interface AlertFigures {
  /** Findings of the flood's own processes that are grave enough to be alerted. */
  readonly findingsOfFlood: number
  /** Alerts of them that had arrived by the end. */
  readonly alertsOfFlood: number
  /** The first alert of high severity or above that came after the flood began and is not about it. */
  readonly firstGrave: { readonly position: number; readonly delaySeconds: number } | undefined
}

const alerted = ["medium", "high", "critical"]
const grave = ["high", "critical"]

/** `sinceUs`: wall clock at which the flood of process `pid` began. */
export function alertsOf({ watch, receiver }: Product, pid: number, sinceUs: number): AlertFigures {
  const isOfFlood = (finding: LabFinding) => alerted.includes(finding.severity) && names(finding, pid)
  const since = receiver.alerts.filter(({ atUs }) => atUs >= sinceUs)
  const found = watch.arrivals.find(
    ({ finding, atUs }) =>
      atUs >= sinceUs && grave.includes(finding.severity) && isOnThisHost(finding) && !names(finding, pid),
  )
  const position = found === undefined ? -1 : since.findIndex(({ finding }) => finding.id === found.finding.id)
  const received = since[position]
  return {
    findingsOfFlood: new Set(watch.arrivals.filter((a) => isOfFlood(a.finding)).map((a) => a.finding.id)).size,
    alertsOfFlood: receiver.alerts.filter(({ finding }) => isOfFlood(finding)).length,
    firstGrave: found && received && { position: position + 1, delaySeconds: (received.atUs - found.atUs) / 1e6 },
  }
}

function isOnThisHost(finding: LabFinding): boolean {
  const { host } = finding as LabFinding & { readonly host: { readonly name: string } }
  return host.name !== "second"
}
