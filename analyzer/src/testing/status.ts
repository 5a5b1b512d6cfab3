import type { AlertStatus, AnalyzerStatus, HostShare, SessionCounts, SessionStatus } from "../telemetry/status.js"
import type { ProofStatus } from "../domain/proof.js"
import { aHost } from "./hosts.js"

/** Of a host that was not asked yet. */
export const unproven: ProofStatus = { lastProvenUs: undefined, last: undefined, blind: undefined }

/** An analyzer without collectors. */
export function aStatus(changes: Partial<AnalyzerStatus> = {}): AnalyzerStatus {
  return {
    streams: 0,
    intake: { messages: 0, bytes: 0 },
    rejected: [],
    sessions: [],
    hosts: [],
    deliveries: [],
    ...changes,
  }
}

/** A host that has cost nothing. */
export function aShare(changes: Partial<HostShare> = {}): HostShare {
  return { costMs: 0, delayedMs: 0, isDelayed: false, ...changes }
}

/** One run of the collector of `aHost`. */
export function aSession(counts: Partial<SessionCounts> = {}, changes: Partial<SessionStatus> = {}): SessionStatus {
  const { hostName, hostId, bootId } = aHost()
  const none = { batches: 0, duplicates: 0, missing: 0, lost: undefined, clockAheadUs: 0, unfollowed: [] }
  return { host: hostName, hostId, bootId, connected: true, counts: { ...none, ...counts }, ...changes }
}

export function anAlertStatus(changes: Partial<AlertStatus> = {}): AlertStatus {
  return {
    name: "kafka",
    condition: { state: "ok", text: "" },
    depth: 0,
    bytes: 0,
    limitBytes: 1_000_000,
    oldestSeconds: 0,
    published: 9,
    errors: 0,
    shed: { info: 0, low: 0, medium: 0, high: 0, critical: 0 },
    superseded: 0,
    limited: 0,
    refused: 0,
    torn: 0,
    ...changes,
  }
}
