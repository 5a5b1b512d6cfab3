import type { Connection } from "@backflow/analyzer/domain/connection"
import type { CouplingSample } from "@backflow/analyzer/domain/coupling-sample"
import type { Finding } from "@backflow/analyzer/domain/finding"
import type { HostFacts } from "@backflow/analyzer/domain/identity"
import type { ConnectionRow } from "@backflow/analyzer/domain/output"
import { aConnection, aFinding, aHost, aProcess, anIncident, anOutput } from "@backflow/analyzer/sinks/samples"
import type { StoredConnection } from "@backflow/analyzer/store/connection-row"
import type { MetricSample } from "@backflow/analyzer/store/metric-row"

/**
 * A day on four hosts, told backwards from `endUs`, with known answers: a reverse tunnel that is open, a shell that
 * ended, an approved SSH connection, a scan, two miners, an upload, losses, and a host that fell silent.
 */
const minute = 60_000_000
const hour = 60 * minute

export const hosts = {
  build: aHost({ hostId: "a1", hostName: "build-7", instance: "00000000000000a1" }),
  train: aHost({
    hostId: "b2",
    hostName: "train-3",
    bootId: "7d7a0f7e-0000-4000-8000-0000000000b2",
    instance: "00000000000000b2",
  }),
  gpu: aHost({
    hostId: "c3",
    hostName: "gpu-12",
    bootId: "7d7a0f7e-0000-4000-8000-0000000000c3",
    instance: "00000000000000c3",
    degraded: [{ feature: "send_length", consequence: "" }],
  }),
  edge: aHost({
    hostId: "d4",
    hostName: "edge-1",
    bootId: "7d7a0f7e-0000-4000-8000-0000000000d4",
    instance: "00000000000000d4",
  }),
} satisfies Record<string, HostFacts>

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
const cookie = (number: number) => number.toString(16).padStart(16, "0")

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

/** Losses: 7 in the kernel and 20 shed on train-3 (3 h ago), 1 rejected there (5 h ago), 5 on a collector of gpu-12 that began 2 h ago. */
function reportsOf(endUs: number): Story["reports"] {
  const none = anOutput(0).lost
  const outputs: Story["reports"] = []
  for (let ago = 25 * 60 - 1; ago >= 0; ago -= 1) {
    const wave = Math.round(12 * Math.sin(ago / 90))
    const report = (live: number) => ({
      atUs: endUs - ago * minute,
      liveConnections: live + wave,
      processes: 2 * live,
      evicted: 0,
    })
    const restarted = { ...hosts.gpu, instance: "00000000000000c4" }
    outputs.push(
      // Lost long before: it must not count in the last 24 h.
      anOutput(ago, { host: hosts.build, report: report(40), lost: { ...none, ringExec: 1_000 } }),
      anOutput(ago, {
        host: hosts.train,
        report: report(60),
        lost: {
          ...none,
          ringConnection: ago < 180 ? 7 : 0,
          shedInterim: ago < 180 ? 20 : 0,
          rejected: ago < 300 ? 1 : 0,
        },
      }),
      anOutput(ago, {
        host: ago < 120 ? restarted : hosts.gpu,
        report: report(30),
        lost: ago < 120 ? { ...none, mapSocket: 5 } : none,
      }),
    )
    if (ago >= 120) outputs.push(anOutput(ago, { host: hosts.edge, report: report(20) }))
  }
  return outputs
}

interface Opened {
  readonly host: HostFacts
  readonly exe: string
  readonly number: number
  readonly remote: string
  readonly port: number
  readonly openedAgo: number
  /** Each record: how long ago, and totals sent and received by then. The last is the closing one where `ends`. */
  readonly records: readonly (readonly [ago: number, sent: number, received: number])[]
  readonly ends: boolean
  readonly outside: boolean
  readonly led?: "remote" | "local"
  readonly changes?: Partial<Connection>
}

function connectionsOf(endUs: number): StoredConnection[] {
  const every10Minutes = (since: number, sent: number, received: number) =>
    Array.from({ length: since / 10 }, (_, i): [number, number, number] => [
      since - 10 * (i + 1),
      sent * 600 * (i + 1),
      received * 600 * (i + 1),
    ])
  const all: Opened[] = [
    {
      host: hosts.build,
      exe: "/usr/bin/ssh",
      number: 1_000,
      remote: "203.0.113.9",
      port: 443,
      openedAgo: 90,
      records: every10Minutes(90, 50, 500),
      ends: false,
      outside: true,
      led: "remote",
    },
    {
      host: hosts.gpu,
      exe: "/usr/bin/ssh",
      number: 3_000,
      remote: "192.0.2.5",
      port: 22,
      openedAgo: 1_800,
      records: every10Minutes(1_440, 1_000, 20),
      ends: false,
      outside: true,
      led: "local",
    },
    {
      host: hosts.gpu,
      exe: "/tmp/xmrig",
      number: 6_000,
      remote: "198.51.100.7",
      port: 3_333,
      openedAgo: 480,
      records: every10Minutes(480, 20, 40),
      ends: false,
      outside: true,
    },
    {
      host: hosts.gpu,
      exe: "/opt/worker",
      number: 6_001,
      remote: "198.51.100.8",
      port: 443,
      openedAgo: 300,
      records: every10Minutes(300, 30, 60),
      ends: false,
      outside: true,
    },
    {
      host: hosts.train,
      exe: "/usr/bin/python3",
      number: 2_000,
      remote: "198.51.100.20",
      port: 4_444,
      openedAgo: 360,
      records: [
        [350, 500, 90],
        [300, 60_000, 3_000],
      ],
      ends: true,
      outside: true,
    },
    {
      host: hosts.gpu,
      exe: "/usr/bin/rclone",
      number: 7_000,
      remote: "192.0.2.200",
      port: 443,
      openedAgo: 240,
      records: [
        [200, 20e9, 1e6],
        [120, 50e9, 2e6],
      ],
      ends: true,
      outside: true,
    },
    ...Array.from({ length: 60 }, (_, i): Opened => ({
      host: hosts.train,
      exe: "/usr/bin/nmap",
      number: 8_000 + i,
      remote: `10.0.9.${i + 1}`,
      port: 22,
      openedAgo: 240,
      records: [[239, 0, 0]],
      ends: true,
      outside: false,
    })),
    ...Array.from({ length: 288 }, (_, i): Opened => ({
      host: [hosts.build, hosts.train, hosts.gpu][i % 3] ?? hosts.build,
      exe: "/usr/bin/curl",
      number: 10_000 + i,
      remote: `192.0.2.${100 + (i % 20)}`,
      port: 443,
      openedAgo: 5 * i + 2,
      records: [[5 * i + 1, 700, 9_000 + i]],
      ends: true,
      outside: true,
    })),
  ]
  return all.flatMap((opened, order) => recordsOf(endUs, opened, order))
}

function recordsOf(endUs: number, opened: Opened, order: number): StoredConnection[] {
  const { host, exe, number, remote, port, openedAgo, records, ends, outside, led } = opened
  const exchanges = {
    remoteLed: 0,
    remoteLedAnswered: led === "remote" ? 12 : 0,
    localLed: 0,
    localLedAnswered: led === "local" ? 40 : 1,
    localReplyLog2: 0,
    remoteReplyLog2: 0,
    sameSizeAnswers: 0,
    strictAlternations: 0,
    answerBytes: 0,
  }
  return records.map(([ago, bytesSent, bytesReceived], i) => {
    const observedUs = endUs - ago * minute
    const closes = ends && i === records.length - 1
    const connection = aConnection({
      cookie: cookie(number),
      remote: { address: remote, port },
      openedUs: endUs - openedAgo * minute,
      observedUs,
      lastMovedUs: observedUs,
      bytesSent,
      bytesReceived,
      exchanges,
      ssh: { localIdent: exe.endsWith("ssh"), remoteIdent: false, localClient: false, remoteClient: false },
      closed: closes ? "closed" : undefined,
    })
    const row: ConnectionRow = {
      reason: closes ? "closed" : i === 0 ? "opened" : "moved",
      connection,
      process: { ...aProcess, exe, comm: exe.split("/").at(-1) ?? "" },
      outside,
    }
    return { output: anOutput(100_000 + 1_000 * order + i, { host }), row, batchUs: observedUs }
  })
}

/** Counters that rise by a known step each minute; the outbox of Kafka filled for an hour, six hours ago. */
function metricsOf(endUs: number): MetricSample[] {
  const samples: MetricSample[] = []
  for (let i = 0; i < 25 * 60; i += 1) {
    const ago = 25 * 60 - 1 - i
    const waiting = ago < 360 && ago >= 300 ? 360 - ago : 0
    const add = (name: string, value: number, labels: Record<string, string> = {}) =>
      samples.push({
        atMs: endUs / 1_000 - ago * 60_000,
        source: "analyzer-1",
        name: `backflow_${name}`,
        labels,
        value,
      })
    add("build_info", 1, { version: "0.1.0" })
    add("collector_streams", ago < 120 ? 3 : 4)
    add("intake_messages", (ago * 7) % 11)
    add("intake_bytes", 3_000 * ((ago * 7) % 11))
    add("rejected_total", ago < 300 ? 2 : 0, { reason: "malformed" })
    for (const sink of ["store", "console"]) {
      add("batches_written_total", (i + 1) * (sink === "store" ? 60 : 30), { sink })
      add("write_failures_total", sink === "store" && ago < 200 ? 3 : 0, { sink })
      add("outputs_shed_total", 0, { sink })
      add("outputs_waiting", sink === "store" ? ago % 4 : 0, { sink })
    }
    add("outbox_depth", 10 * waiting, { sink: "kafka" })
    add("outbox_bytes", 4_096 * 10 * waiting, { sink: "kafka" })
    add("outbox_oldest_seconds", 60 * waiting, { sink: "kafka" })
    add("alerts_published_total", i - waiting, { sink: "kafka" })
    add("alert_errors_total", ago < 360 ? 5 : 0, { sink: "kafka" })
    add("findings_total", Math.floor(i / 300), { class: "reverse_tunnel", severity: "high" })
    add("event_to_stored_seconds_sum", 0.25 * 100 * (i + 1))
    add("event_to_stored_seconds_count", 100 * (i + 1))
  }
  return samples
}
