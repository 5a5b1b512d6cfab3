/** Wire messages for tests, as a collector would send them. */
import { backflow } from "@backflow/proto"
import { parseAddress } from "../domain/address.js"
import { startUs } from "./time.js"
import { aHost } from "./hosts.js"

export interface SampleConnection {
  readonly cookie?: string
  readonly process?: number
  readonly flags?: number
  readonly local?: string
  readonly remote?: string
  readonly localPort?: number
  readonly remotePort?: number
  /** Relative to the base of the batch. */
  readonly openedUs?: number
  readonly observedUs?: number
  readonly bytesSent?: number
  readonly bytesReceived?: number
}

/** Flags of an established TCP connection that this host opened, by reason. */
export const flags = {
  opened: 1 | (0 << 2) | (6 << 8) | (1 << 17),
  moved: 1 | (1 << 2) | (6 << 8) | (1 << 17),
  closed: 1 | (2 << 2) | (6 << 8) | (1 << 17),
} as const

function encode(message: Record<string, unknown>): Buffer {
  const wire = backflow.v1.CollectorMessage
  return Buffer.from(wire.encode(wire.fromObject(message)).finish())
}

export function hello(changes: Record<string, unknown> = {}): Buffer {
  const { collectorVersion: version, ...host } = aHost()
  return encode({ hello: { protocol: 1, version, ...host, ...changes } })
}

export function batch(seq: number, changes: Record<string, unknown> = {}): Buffer {
  return encode({ batch: batchFields(seq, changes) })
}

export function snapshot(seq: number, changes: Record<string, unknown> = {}): Buffer {
  return encode({ snapshot: batchFields(seq, changes) })
}

function batchFields(seq: number, changes: Record<string, unknown>): Record<string, unknown> {
  return { seq, baseUs: startUs + seq * 200_000, ...changes }
}

export function process(ref: number, pid: number, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ref,
    pid,
    startNs: String(pid * 1_000_000),
    exe: "/usr/bin/ssh",
    argv: ["ssh", "far"],
    comm: "ssh",
    ...changes,
  }
}

/** The column form of the records, addresses each once. */
export function connections(records: readonly SampleConnection[]): Record<string, unknown> {
  const addresses: string[] = []
  const index = (address: string) => {
    if (!addresses.includes(address)) addresses.push(address)
    return addresses.indexOf(address)
  }
  const column = <T>(of: (record: SampleConnection) => T) => records.map(of)
  return {
    cookie: column(({ cookie = "1" }) => BigInt(`0x${cookie}`).toString()),
    netns: column(() => 4_026_531_840),
    process: column(({ process = 0 }) => process),
    flags: column(({ flags: bits = flags.opened }) => bits),
    localAddress: column(({ local = "10.0.0.5" }) => index(local)),
    remoteAddress: column(({ remote = "203.0.113.9" }) => index(remote)),
    localPort: column(({ localPort = 40_000 }) => localPort),
    remotePort: column(({ remotePort = 443 }) => remotePort),
    openedUs: column(({ openedUs = -1_000 }) => openedUs),
    observedUs: column(({ observedUs = -500 }) => observedUs),
    bytesSent: column(({ bytesSent = 0 }) => bytesSent),
    bytesReceived: column(({ bytesReceived = 0 }) => bytesReceived),
    addresses: Buffer.concat(addresses.map((address) => parseAddress(address) ?? Buffer.alloc(16))),
  }
}
