import { setTimeout as pause } from "node:timers/promises"
import { parseAddress } from "@backflow/analyzer/domain/address"
import { FakeCollector } from "@backflow/analyzer/testing/fake-collector"
import * as wire from "@backflow/analyzer/testing/wire-messages"
import type { LabFinding, Watch } from "../lab/watch.js"

/** Every collector of this kernel sees the same flood, so the second host is a peer that speaks as a collector does. */
const hostId = "5ec0bd5ec0bd5ec0bd5ec0bd5ec0bd01"
const batchMs = 200
/** Connections that every ordinary batch says something new about. */
const ordinaryConnections = 20
const service = { ref: 1, pid: 900 }
export const findLimitMs = 5_000
const pollMs = 2
const secondUs = 1_000_000

/** Request and answer of one turn at A and at B: a relay that adds 6 bytes on the outside. */
const sizes = [[406, 400], [96, 90], [1506, 1500], [230, 224], [3006, 3000], [71, 65]] as const // prettier-ignore

export class SecondHost {
  readonly #peer: FakeCollector
  readonly #watch: Watch
  readonly #ordinary: NodeJS.Timeout
  #seq = 1
  #relays = 0

  private constructor(peer: FakeCollector, watch: Watch) {
    this.#peer = peer
    this.#watch = watch
    this.#ordinary = setInterval(() => this.#send(ordinary(this.#seq)), batchMs)
  }

  /** Resolves when its snapshot is durable. `address` is where the analyzer listens: "unix:/path". */
  static async connect(address: string, watch: Watch): Promise<SecondHost> {
    const peer = new FakeCollector(address)
    peer.send(wire.hello({ hostId, hostName: "second", bootId: "7d3c8f5e-1d2a-4c3b-9e8f-0a1b2c3d4e5f", instance: 1 }))
    await peer.next("welcome")
    const server = wire.process(service.ref, service.pid, {
      exe: "/usr/sbin/service",
      argv: ["service"],
      comm: "service",
    })
    peer.send(wire.snapshot(1, { baseUs: nowUs(), processes: [server] }))
    await peer.acknowledged(1)
    return new SecondHost(peer, watch)
  }

  /** Sends what a collector says of a used relay; milliseconds until its finding has arrived, findLimitMs where none did. */
  async findRelay(): Promise<number> {
    this.#relays += 1
    const pid = 1_000 + this.#relays
    const from = this.#watch.arrivals.length
    const before = performance.now()
    this.#send(relay(this.#relays, pid))
    while (performance.now() - before < findLimitMs) {
      this.#watch.poll()
      const arrival = this.#watch.arrivals.slice(from).find(({ finding }) => isOf(finding, pid))
      if (arrival !== undefined) return performance.now() - before
      await pause(pollMs)
    }
    return findLimitMs
  }

  close(): void {
    clearInterval(this.#ordinary)
    this.#peer.close()
  }

  #send(fields: Record<string, unknown>): void {
    this.#seq += 1
    this.#peer.send(wire.batch(this.#seq, { baseUs: nowUs(), ...fields }))
  }
}

const nowUs = (): number => Date.now() * 1_000

function isOf(finding: LabFinding, pid: number): boolean {
  const { host } = finding as LabFinding & { readonly host: { readonly id: string } }
  return host.id === hostId && finding.process.pid === pid && finding.class === "reverse_tunnel"
}

/** Connections of a service to others inside, whose bytes rise. */
function ordinary(seq: number): Record<string, unknown> {
  const records = Array.from({ length: ordinaryConnections }, (_, i) => ({
    cookie: (0x1000 + i).toString(16),
    process: service.ref,
    flags: wire.flags.moved,
    remote: "10.0.0.9",
    localPort: 30_000 + i,
    remotePort: 5432,
    openedUs: -secondUs,
    bytesSent: seq * 100 + i,
    bytesReceived: seq * 200 + i,
  }))
  return { connections: wire.connections(records) }
}

function relay(number: number, pid: number): Record<string, unknown> {
  const ref = 1 + number
  const [a, b] = [0x10_0000 + number * 2, 0x10_0001 + number * 2]
  const forward = moments(sizes.map(([outside, inside]) => [outside, inside]))
  const backward = moments(sizes.map(([outside, inside]) => [inside * 3, outside * 3 - 12]))
  const opened = { process: ref, openedUs: -secondUs, observedUs: -1_000 }
  const far = { remote: "203.0.113.9", remotePort: 443, localPort: 20_000 + number }
  const near = { local: "127.0.0.1", remote: "127.0.0.1", remotePort: 8000, localPort: 40_000 + number }
  const [sent, received] = [forward.y, forward.x]
  return {
    processes: [wire.process(ref, pid, { exe: "/opt/agent", argv: ["agent"], comm: "agent" })],
    connections: wire.connections([
      { ...opened, ...far, cookie: a.toString(16), bytesSent: backward.y, bytesReceived: received },
      { ...opened, ...near, cookie: b.toString(16), bytesSent: sent, bytesReceived: backward.x },
    ]),
    edges: [
      {
        group: String(0x5000 + number),
        process: ref,
        aProcess: ref,
        kind: 1,
        aRemote: parseAddress(far.remote),
        aPort: far.remotePort,
        aCookie: String(a),
        bRemote: parseAddress(near.remote),
        bPort: near.remotePort,
        bCookie: String(b),
        openedAfter: 1,
        delayMinNs: 200_000,
        delayLog2: 17 * 256,
        forwardIn: forward.x,
        forwardOut: forward.y,
        backwardIn: backward.x,
        backwardOut: backward.y,
        forward,
        backward,
        firstUs: nowUs() - secondUs,
        lastUs: nowUs() - 10_000,
      },
    ],
  }
}

/** Sums over turns of [bytes in, bytes out], as the kernel adds them up. */
function moments(turns: readonly (readonly [number, number])[]): Record<"n" | "x" | "y" | "xx" | "yy" | "xy", number> {
  const sum = (of: (x: number, y: number) => number) => turns.reduce((total, [x, y]) => total + of(x, y), 0)
  return {
    n: turns.length,
    x: sum((x) => x),
    y: sum((_, y) => y),
    xx: sum((x) => x * x),
    yy: sum((_, y) => y * y),
    xy: sum((x, y) => x * y),
  }
}
