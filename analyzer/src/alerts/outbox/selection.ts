import type { Finding } from "../../domain/finding.js"
import { isAtLeast, type Severity } from "../../domain/severity.js"
import { findingJson } from "../../documents/finding-json.js"
import { formatTime } from "../../text/rfc3339.js"
import type { Alert, ClosedBecause } from "./alert.js"
import type { AlertLimiter } from "./limiter.js"
import type { Ledger, OpenAlert } from "./ledger.js"

export interface SelectedAlert {
  readonly alert: Alert
  /** By which severity it leaves. */
  readonly lane: Severity
}

/**
 * Which finding versions leave, in order. Those of `minSeverity` and above that policy neither approves nor suppresses do;
 * and once a finding has left, all its later versions do, until the one by which it is over for its readers: closed, under
 * `minSeverity`, expected or suppressed. The first version that leaves is `created`, whatever its number. A finding that the
 * limiter holds back is one that has not left.
 */
export function selectAlerts(
  findings: readonly Finding[],
  ledger: Ledger,
  minSeverity: Severity,
  limiter: AlertLimiter,
): readonly SelectedAlert[] {
  /** What this call has selected so far; the ledger itself changes only once that is durable. */
  const pending = new Map<string, OpenAlert | undefined>()
  return findings.flatMap((finding) => {
    const before = pending.has(finding.id) ? pending.get(finding.id) : ledger.openAlert(finding.id)
    const alert = alertOf(finding, before, minSeverity)
    const isUnknown = before === undefined
    if (isUnknown && limiter.holdsBack(finding, overBecause(finding, minSeverity), alert !== undefined)) return []
    if (alert === undefined) return []
    pending.set(finding.id, openAlertAfter(alert, before))
    return [{ alert, lane: laneOf(alert, before) }]
  })
}

/** What stands after an alert: undefined when the finding is over for its readers. */
export function openAlertAfter(alert: Alert, before: OpenAlert | undefined): OpenAlert | undefined {
  if (alert.because !== undefined) return undefined
  const version = alert.kind === "created" ? alert.finding.version : (before?.version ?? alert.finding.version)
  return { version, createdAt: alert.createdAt, severity: alert.finding.severity }
}

/** A closing leaves as what it closes, so that it does not fall behind it. */
function laneOf({ kind, finding }: Alert, before: OpenAlert | undefined): Severity {
  return kind === "closed" ? (before?.severity ?? finding.severity) : finding.severity
}

function alertOf(finding: Finding, before: OpenAlert | undefined, minSeverity: Severity): Alert | undefined {
  const because = overBecause(finding, minSeverity)
  // Versions at or under the first that left are repeats of a batch that was sent again.
  const isFirst = before === undefined || finding.version <= before.version
  // What began and ended before it could be sent is still sent.
  const isWanted = because === undefined || (because === "ended" && isAtLeast(finding.severity, minSeverity))
  if (isFirst && isWanted) return make(finding, "created", formatTime(finding.detectedAtUs), because)
  if (before === undefined) return undefined
  return make(finding, because === undefined ? "updated" : "closed", before.createdAt, because)
}

function overBecause(finding: Finding, minSeverity: Severity): ClosedBecause | undefined {
  if (finding.status === "expected" || finding.status === "suppressed") return finding.status
  if (finding.status === "closed") return "ended"
  // Whatever the least severity is: nobody needs to know that the analyzer found what it asked for.
  if (finding.status === "proof") return "lowered"
  return isAtLeast(finding.severity, minSeverity) ? undefined : "lowered"
}

function make(finding: Finding, kind: Alert["kind"], createdAt: string, because: ClosedBecause | undefined): Alert {
  return { kind, ...(because !== undefined && { because }), createdAt, finding: findingJson(finding) }
}
