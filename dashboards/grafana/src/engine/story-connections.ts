import type { HostFacts } from "@backflow/analyzer/domain/identity"
import type { ConnectionRow } from "@backflow/analyzer/domain/output"
import { aConnection, aProcess, anOutput } from "@backflow/analyzer/testing/outputs"
import type { StoredConnection } from "@backflow/analyzer/store/write/connection-row"
import { cookie, hosts, minute } from "./story-cast.js"

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
}

export function connectionsOf(endUs: number): StoredConnection[] {
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
