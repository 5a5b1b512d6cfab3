import type { Finding, FindingConnection, FindingProcess } from "../domain/finding.js"
import type { Incident } from "../domain/incident.js"
import { formatTime } from "../text/rfc3339.js"

/** The form of proto/finding.schema.json, which people and programs get. */
export type FindingJson = ReturnType<typeof findingJson>
export type IncidentJson = ReturnType<typeof incidentJson>

/** One point of a curve behind a finding: bytes so far, received on A and written to B (forward), and back. */
export interface CouplingPointJson {
  readonly channel: string
  /** Milliseconds since the Unix epoch. */
  readonly at_ms: number
  readonly forward_in: number
  readonly forward_out: number
  readonly backward_in: number
  readonly backward_out: number
}

export function findingJson(finding: Finding) {
  return {
    id: finding.id,
    version: finding.version,
    class: finding.class,
    detector: finding.detector,
    severity: finding.severity,
    score: finding.score,
    confidence: finding.confidence,
    status: finding.status,
    first_seen: formatTime(finding.firstSeenUs),
    last_seen: formatTime(finding.lastSeenUs),
    detected_at: formatTime(finding.detectedAtUs),
    summary: finding.summary,
    host: { id: finding.host.id, name: finding.host.name, boot_id: finding.host.bootId },
    process: processJson(finding.process),
    // A claim about an intent may come before any connection.
    connection: finding.connection.cookie === "" ? null : connectionJson(finding.connection),
    evidence: finding.evidence.map(({ kind, text, atUs, facts }) => ({ kind, text, at: formatTime(atUs), facts })),
    attack: finding.attack,
  }
}

function processJson(process: FindingProcess) {
  return {
    pid: process.pid,
    start_ns: process.startNs,
    exe: process.exe,
    argv: process.argv,
    uid: process.uid,
    ancestors: process.ancestors.map(({ pid, exe, argv }) => ({ pid, exe, argv })),
    container_id: process.containerId,
  }
}

function connectionJson(connection: FindingConnection) {
  return {
    cookie: connection.cookie,
    netns: connection.netns,
    initiator: connection.initiator,
    protocol: connection.protocol,
    local: { address: connection.local.address, port: connection.local.port },
    remote: { address: connection.remote.address, port: connection.remote.port },
    opened_at: formatTime(connection.openedUs),
    bytes_sent: connection.bytesSent,
    bytes_received: connection.bytesReceived,
    still_open: connection.stillOpen,
  }
}

export function incidentJson(incident: Incident) {
  return {
    id: incident.id,
    version: incident.version,
    status: incident.status,
    severity: incident.severity,
    score: incident.score,
    host: { id: incident.host.id, name: incident.host.name },
    identity: incident.identity,
    first_seen: formatTime(incident.firstSeenUs),
    last_seen: formatTime(incident.lastSeenUs),
    summary: incident.summary,
    findings: incident.findings,
    timeline: incident.timeline.map(({ atUs, finding, text }) => ({ at: formatTime(atUs), finding, text })),
  }
}
