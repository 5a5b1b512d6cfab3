import type { Claim } from "../domain/detector.js"
import type { Finding } from "../domain/finding.js"
import type { Incident } from "../domain/incident.js"
import { aConnection } from "./connections.js"
import { aHost } from "./hosts.js"
import { aRowProcess } from "./processes.js"
import { at, startUs } from "./time.js"

const findingId = "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11"

/** UUID of the n-th finding. */
export function idOf(n: number): string {
  return `00000000-0000-5000-8000-${String(n).padStart(12, "0")}`
}

export function aClaim(changes: Partial<Claim> = {}): Claim {
  return {
    class: "reverse_tunnel",
    detector: "coupling",
    subject: "group 1",
    score: 0.6,
    confidence: 0.8,
    firstSeenUs: startUs,
    lastSeenUs: startUs,
    process: "4711:1",
    cookie: "00000000000003e8",
    summary: "ssh lets 203.0.113.9:443 reach 127.0.0.1:8000 inside.",
    evidence: [{ kind: "conservation", text: "Bytes agree.", atUs: startUs, facts: { turns: 3 } }],
    attack: ["T1572"],
    status: "active",
    ...changes,
  }
}

export function aFinding(changes: Partial<Finding> = {}): Finding {
  const { hostId, hostName, bootId } = aHost()
  const { pid, startNs, exe, argv, uid, containerId } = aRowProcess()
  const { cookie, netns, initiator, protocol, local, remote, openedUs, bytesSent, bytesReceived } = aConnection()
  return {
    id: findingId,
    version: 1,
    class: "reverse_tunnel",
    detector: "coupling",
    severity: "high",
    score: 0.97,
    confidence: 0.9,
    status: "open",
    firstSeenUs: at(-1.5),
    lastSeenUs: startUs,
    detectedAtUs: startUs,
    summary: "ssh lets 203.0.113.9 reach 127.0.0.1:8000 on build-7.",
    host: { id: hostId, name: hostName, bootId },
    process: {
      pid,
      startNs,
      exe,
      argv,
      uid,
      ancestors: [{ pid: 4_700, exe: "/bin/bash", argv: ["bash", "./fix-build.sh"] }],
      containerId,
    },
    connection: {
      cookie,
      netns,
      initiator,
      protocol,
      local,
      remote,
      openedUs,
      bytesSent,
      bytesReceived,
      stillOpen: true,
    },
    evidence: [
      {
        kind: "conservation",
        text: "37 bytes of framing in each of 12 turns from 203.0.113.9:443 to 127.0.0.1:8000.",
        atUs: startUs,
        facts: { turns: 12, framing_bytes: 37 },
      },
    ],
    attack: ["T1572"],
    ...changes,
  }
}

/** An incident of `aFinding`. */
export function anIncident(changes: Partial<Incident> = {}): Incident {
  const { hostId, hostName } = aHost()
  return {
    id: "1c3f8a52-0f0e-5b7c-9d58-5a1f5f6f7a10",
    version: 1,
    status: "open",
    severity: "high",
    score: 0.97,
    host: { id: hostId, name: hostName },
    identity: "uid 1000, /usr/bin/ssh",
    firstSeenUs: at(-1.5),
    lastSeenUs: startUs,
    summary: "ssh of uid 1000 on build-7 opened a way in.",
    findings: [findingId],
    timeline: [{ atUs: startUs, finding: findingId, text: "A reverse tunnel was used." }],
    ...changes,
  }
}
