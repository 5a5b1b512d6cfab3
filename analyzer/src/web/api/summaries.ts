import type { FindingSummary, IncidentSummary } from "@backflow/page/contract"
import { compareSeverities } from "../../domain/severity.js"
import type { FindingJson, IncidentJson } from "../../documents/finding-json.js"
import type { Severity } from "../../domain/severity.js"

export function incidentSummary(incident: IncidentJson): IncidentSummary {
  const { id, version, status, severity, score, host, identity, first_seen, last_seen, summary } = incident
  const findings = incident.findings.length
  return { id, version, status, severity, score, host, identity, first_seen, last_seen, summary, findings }
}

export function findingSummary(finding: FindingJson): FindingSummary {
  const { id, version, severity, score, confidence, status, first_seen, last_seen, summary } = finding
  return { id, version, class: finding.class, severity, score, confidence, status, first_seen, last_seen, summary }
}

/** The gravest first, then the latest. Times are RFC 3339 of one width, which sort as text. */
export function byGravity(
  a: { readonly severity: Severity; readonly last_seen: string; readonly id: string },
  b: { readonly severity: Severity; readonly last_seen: string; readonly id: string },
): number {
  const bySeverity = compareSeverities(b.severity, a.severity)
  if (bySeverity !== 0) return bySeverity
  if (a.last_seen !== b.last_seen) return a.last_seen < b.last_seen ? 1 : -1
  return a.id < b.id ? -1 : 1
}
