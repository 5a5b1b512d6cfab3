import type { Connection } from "../domain/connection.js"
import type { Finding } from "../domain/finding.js"
import type { HostFacts } from "../domain/identity.js"
import type { Incident } from "../domain/incident.js"
import type { ConnectionRow, Output, RowProcess } from "../domain/output.js"
import { nothingLost } from "../domain/lost.js"

/** Complete values for tests, each with what the test names put in its place. */

/** 2026-11-23T06:00:00Z in microseconds. */
export const sampleUs = 1_795_413_600_000_000

export function aHost(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    hostId: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    hostName: "build-7",
    bootId: "3b1c8f5e-1d2a-4c3b-9e8f-0a1b2c3d4e5f",
    kernel: "6.18.0",
    collectorVersion: "0.1.0",
    instance: "00000000000000a1",
    degraded: [],
    ...changes,
  }
}

export function aConnection(changes: Partial<Connection> = {}): Connection {
  return {
    cookie: "00000000000003e8",
    netns: 4_026_531_840,
    process: "4711:123456789",
    initiator: "local",
    protocol: "tcp",
    ssh: { localIdent: true, remoteIdent: true, localClient: true, remoteClient: false },
    olderThanCollector: false,
    established: true,
    local: { address: "10.1.2.3", port: 50_022 },
    remote: { address: "203.0.113.9", port: 443 },
    openedUs: sampleUs - 60_000_000,
    observedUs: sampleUs,
    lastMovedUs: sampleUs,
    bytesSent: 4_096,
    bytesReceived: 1_234,
    exchanges: undefined,
    closed: undefined,
    ...changes,
  }
}

export const aProcess: RowProcess = {
  pid: 4_711,
  startNs: "123456789",
  exe: "/usr/bin/ssh",
  comm: "ssh",
  argv: ["ssh", "-N", "-R", "8080:localhost:8000", "ops@203.0.113.9"],
  uid: 1_000,
  containerId: "",
}

export function aRow(changes: Partial<Connection> = {}, reason: ConnectionRow["reason"] = "moved"): ConnectionRow {
  return { reason, connection: aConnection(changes), process: aProcess, outside: true }
}

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
    firstSeenUs: sampleUs - 1_500_000,
    lastSeenUs: sampleUs,
    detectedAtUs: sampleUs,
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
      openedUs: sampleUs - 60_000_000,
      bytesSent: 4_096,
      bytesReceived: 1_234,
      stillOpen: true,
    },
    evidence: [
      {
        kind: "conservation",
        text: "37 bytes of framing in each of 12 turns from 203.0.113.9:443 to 127.0.0.1:8000.",
        atUs: sampleUs,
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
    firstSeenUs: sampleUs - 1_500_000,
    lastSeenUs: sampleUs,
    summary: "ssh of uid 1000 on build-7 opened a way in.",
    findings: ["6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11"],
    timeline: [{ atUs: sampleUs, finding: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11", text: "A reverse tunnel was used." }],
    ...changes,
  }
}

export function anOutput(seq: number, changes: Partial<Omit<Output, "seq" | "token">> = {}): Output {
  const host = changes.host ?? aHost()
  return {
    host,
    lost: nothingLost,
    connections: [aRow()],
    findings: [],
    incidents: [],
    couplings: [],
    report: undefined,
    ...changes,
    seq,
    token: `${host.hostId}:${host.bootId}:${host.instance}:${seq}`,
  }
}
