import type { Finding } from "../../domain/finding.js"
import type { Microseconds } from "../../domain/identity.js"
import type { Incident } from "../../domain/incident.js"
import { findingJson, incidentJson } from "../../documents/finding-json.js"
import { cookieNumber, storedAddress, unsigned, wellFormed } from "../schema/values.js"

/** Text of one row in the order of `findingColumns`. `firstDetectedUs` is that of the finding's first stored version. */
export function findingRow(finding: Finding, firstDetectedUs: Microseconds): string {
  const { process, connection } = finding
  return JSON.stringify([
    finding.id,
    finding.version,
    unsigned(firstDetectedUs),
    unsigned(finding.detectedAtUs),
    unsigned(finding.firstSeenUs),
    unsigned(finding.lastSeenUs),
    finding.class,
    finding.detector,
    finding.severity,
    finding.status,
    finding.score,
    finding.confidence,
    wellFormed(finding.host.id),
    wellFormed(finding.host.name),
    wellFormed(finding.host.bootId),
    process.pid,
    wellFormed(process.exe),
    process.uid,
    wellFormed(process.containerId),
    cookieNumber(connection.cookie),
    storedAddress(connection.remote),
    connection.remote.port,
    connection.stillOpen,
    wellFormed(finding.summary),
    finding.attack,
    JSON.stringify(findingJson(finding)),
  ])
}

/** Text of one row in the order of `incidentColumns`. */
export function incidentRow(incident: Incident): string {
  return JSON.stringify([
    incident.id,
    incident.version,
    incident.status,
    incident.severity,
    incident.score,
    wellFormed(incident.host.id),
    wellFormed(incident.host.name),
    wellFormed(incident.identity),
    unsigned(incident.firstSeenUs),
    unsigned(incident.lastSeenUs),
    wellFormed(incident.summary),
    incident.findings,
    JSON.stringify(incidentJson(incident)),
  ])
}
