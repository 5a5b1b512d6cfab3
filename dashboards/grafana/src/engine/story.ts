import type { CouplingSample } from "@backflow/analyzer/domain/coupling-point"
import type { Finding } from "@backflow/analyzer/domain/finding"
import type { HostFacts } from "@backflow/analyzer/domain/identity"
import { aFinding, anIncident } from "@backflow/analyzer/testing/outputs"
import type { anOutput } from "@backflow/analyzer/testing/outputs"
import type { StoredConnection } from "@backflow/analyzer/store/write/connection-row"
import type { MetricSample } from "@backflow/analyzer/store/write/metric-row"
import { cookie, hosts, hour, minute } from "./story-cast.js"
import { connectionsOf } from "./story-connections.js"
import { metricsOf, reportsOf } from "./story-counts.js"

/**
 * A day on four hosts, told backwards from `endUs`, with known answers: a reverse tunnel that is open, a shell that
 * ended, an approved SSH connection, a scan, two miners, an upload, losses, and a host that fell silent.
 */

export const ids = {
  tunnel: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11",
  shell: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b12",
  approved: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b13",
  intent: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b14",
  old: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b15",
  inversion: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b16",
  openIncident: "1c3f8a52-0f0e-5b7c-9d58-5a1f5f6f7a10",
  closedIncident: "1c3f8a52-0f0e-5b7c-9d58-5a1f5f6f7a11",
} as const

const hostOf = (host: HostFacts) => ({ id: host.hostId, name: host.hostName, bootId: host.bootId })
export interface Story {
  readonly findings: readonly Finding[]
  readonly incidents: ReturnType<typeof anIncident>[]
  readonly couplings: readonly { readonly host: HostFacts; readonly couplings: CouplingSample[] }[]
  readonly reports: ReturnType<typeof anOutput>[]
  readonly connections: readonly StoredConnection[]
  readonly metrics: readonly MetricSample[]
}

export function story(endUs: number): Story {
  return {
    findings: findingsOf(endUs),
    incidents: [
      anIncident({
        id: ids.openIncident,
        host: hostOf(hosts.build),
        firstSeenUs: endUs - 90 * minute,
        lastSeenUs: endUs - 80 * minute,
        severity: "high",
        findings: [ids.tunnel],
      }),
      anIncident({
        id: ids.openIncident,
        version: 2,
        severity: "critical",
        host: hostOf(hosts.build),
        firstSeenUs: endUs - 90 * minute,
        lastSeenUs: endUs - minute,
        findings: [ids.tunnel, ids.intent],
      }),
      anIncident({
        id: ids.closedIncident,
        status: "closed",
        host: hostOf(hosts.train),
        firstSeenUs: endUs - 6 * hour,
        lastSeenUs: endUs - 5 * hour,
        findings: [ids.shell],
        summary: "python3 of uid 1000 on train-3 gave a shell to 198.51.100.20.",
        identity: "uid 1000, /usr/bin/python3",
      }),
    ],
    couplings: couplingsOf(endUs),
    reports: reportsOf(endUs),
    connections: connectionsOf(endUs),
    metrics: metricsOf(endUs),
  }
}

function findingsOf(endUs: number): Finding[] {
  const at = (first: number, last: number, detected = first) => ({
    firstSeenUs: endUs - first,
    lastSeenUs: endUs - last,
    detectedAtUs: endUs - detected,
  })
  const on = (number: number, address: string, port: number, stillOpen: boolean) => ({
    ...aFinding().connection,
    cookie: cookie(number),
    remote: { address, port },
    stillOpen,
  })
  const tunnel = { id: ids.tunnel, host: hostOf(hosts.build), connection: on(1_000, "203.0.113.9", 443, true) }
  return [
    aFinding({ ...tunnel, ...at(90 * minute, 90 * minute) }),
    aFinding({ ...tunnel, ...at(90 * minute, minute, minute), version: 2, status: "updated" }),
    aFinding({
      id: ids.intent,
      class: "tunnel_intent",
      detector: "intent",
      severity: "medium",
      host: hostOf(hosts.build),
      ...at(91 * minute, 91 * minute),
      connection: on(0, "", 0, false),
      summary: "ssh was started with -R 8080:localhost:8000.",
    }),
    aFinding({
      id: ids.shell,
      class: "reverse_shell",
      detector: "reverse-shell",
      severity: "critical",
      status: "closed",
      host: hostOf(hosts.train),
      ...at(6 * hour, 5 * hour),
      connection: on(2_000, "198.51.100.20", 4_444, false),
      summary: "python3 gives 198.51.100.20 a shell on train-3.",
      process: { ...aFinding().process, pid: 812, exe: "/usr/bin/python3" },
    }),
    aFinding({
      id: ids.approved,
      class: "long_lived_ssh",
      detector: "ssh",
      severity: "medium",
      status: "expected",
      host: hostOf(hosts.gpu),
      ...at(30 * hour, minute),
      connection: on(3_000, "192.0.2.5", 22, true),
      summary: "ssh to the bastion 192.0.2.5 has been open for 30 h.",
      process: { ...aFinding().process, pid: 99 },
    }),
    aFinding({
      id: ids.old,
      class: "inverted_flow",
      detector: "exchanges",
      severity: "low",
      status: "closed",
      host: hostOf(hosts.gpu),
      ...at(73 * hour, 72 * hour),
      connection: on(4_000, "192.0.2.77", 8_443, false),
      summary: "192.0.2.77 led the conversation.",
    }),
    aFinding({
      id: ids.inversion,
      class: "ssh_role_inversion",
      detector: "ssh",
      severity: "high",
      host: hostOf(hosts.train),
      ...at(3 * hour, 2 * hour),
      connection: on(5_000, "2001:db8::7", 443, false),
      summary: "sshd on train-3 serves 2001:db8::7, which it dialled.",
      process: { ...aFinding().process, pid: 77, exe: "/usr/sbin/sshd" },
    }),
  ]
}

/** Totals at `minutes` after the start: 1,000 bytes in and 900 on, 5,000 out of B and 5,100 away, for each minute. */
function sample(number: number, channel: string, atUs: number, minutes: number): CouplingSample {
  return {
    cookie: cookie(number),
    group: "1",
    channel,
    atUs,
    opened: minutes,
    forwardIn: 1_000 * minutes,
    forwardOut: 900 * minutes,
    backwardIn: 5_000 * minutes,
    backwardOut: 5_100 * minutes,
  }
}

function couplingsOf(endUs: number): Story["couplings"] {
  const tunnel = Array.from({ length: 90 }, (_, i) => {
    const atUs = endUs - (90 - i) * minute
    const web = sample(1_000, "127.0.0.1:8000", atUs, i + 1)
    return i < 60 ? [web] : [web, sample(1_000, "10.0.0.5:5432", atUs, i - 59)]
  }).flat()
  const shell = Array.from({ length: 60 }, (_, i) => sample(2_000, "pty of 812", endUs - 6 * hour + i * minute, i + 1))
  return [
    { host: hosts.build, couplings: tunnel },
    { host: hosts.train, couplings: shell },
  ]
}
