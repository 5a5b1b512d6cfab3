/** When a finding has changed enough for a person to be told again. Pure. */
import type { Finding } from "../domain/finding.js"
import { modifierKind } from "../scoring/assess.js"
import { findingThresholds } from "./thresholds.js"

const limits = findingThresholds

/** How `next` differs from the last version; "counters" make another one at most once a minute of event time. */
export type Difference = "none" | "counters" | "material"

/** Everything of a finding but what only a version adds. */
export type UnversionedFinding = Omit<Finding, "version" | "detectedAtUs">

export function difference(last: Finding, next: UnversionedFinding): Difference {
  if (isOver(last.status) !== isOver(next.status) || isRuled(last.status) !== isRuled(next.status)) return "material"
  if (last.severity !== next.severity) return "material"
  if (tenThousandths(last.score - next.score) >= tenThousandths(limits.scoreStep)) return "material"
  const known = new Set(last.evidence.map(({ kind }) => kind))
  // What raised a score is told when it raised it by enough.
  if (next.evidence.some(({ kind }) => kind !== modifierKind && !known.has(kind))) return "material"
  const counters = last.lastSeenUs !== next.lastSeenUs || last.summary !== next.summary
  return counters || last.connection.stillOpen !== next.connection.stillOpen ? "counters" : "none"
}

/** Scores have four places; their difference as a double is not exact. */
function tenThousandths(difference: number): number {
  return Math.round(Math.abs(difference) * 10_000)
}

function isOver(status: Finding["status"]): boolean {
  return status === "closed"
}

function isRuled(status: Finding["status"]): string {
  return status === "expected" || status === "suppressed" || status === "proof" ? status : ""
}
