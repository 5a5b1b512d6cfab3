import type { Batch } from "../domain/batch.js"
import type { ConnectionUpdate, Exchanges, SshRoles } from "../domain/connection.js"
import type { Claim, Detector } from "../domain/detector.js"
import type { HostFacts, ProcessFacts } from "../domain/identity.js"
import type { View } from "../domain/view.js"
import { HostTracker } from "../connections/host-tracker.js"
import { Networks } from "../domain/networks.js"
import { nothingLost } from "../domain/lost.js"

/** Complete values for tests, each with what the test names put in its place. */

export const secondUs = 1_000_000
/** 2026-11-23T06:00:00Z in microseconds. */
export const startUs = 1_795_413_600_000_000

export const aHost: HostFacts = {
  hostId: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
  hostName: "build-7",
  bootId: "3b1c8f5e-1d2a-4c3b-9e8f-0a1b2c3d4e5f",
  kernel: "6.18.0",
  collectorVersion: "0.1.0",
  instance: "00000000000000a1",
  degraded: [],
}

export const noSsh: SshRoles = { localIdent: false, remoteIdent: false, localClient: false, remoteClient: false }
export const sshClient: SshRoles = { localIdent: true, remoteIdent: true, localClient: true, remoteClient: false }
export const sshServer: SshRoles = { localIdent: true, remoteIdent: true, localClient: false, remoteClient: true }

/** A connection to 203.0.113.9:443, opened at `startUs`. */
export function anUpdate(changes: Partial<ConnectionUpdate> = {}): ConnectionUpdate {
  return {
    cookie: "00000000000003e8",
    netns: 4_026_531_840,
    process: "4711:1",
    initiator: "local",
    reason: "moved",
    protocol: "tcp",
    ssh: noSsh,
    olderThanCollector: false,
    established: true,
    local: { address: "10.1.2.3", port: 50_022 },
    remote: { address: "203.0.113.9", port: 443 },
    openedUs: startUs,
    observedUs: startUs,
    bytesSent: 4_096,
    bytesReceived: 1_234,
    exchanges: undefined,
    ...changes,
  }
}

/** pid and key come from `key`, "4711:1" unless told. */
export function aProcess(argv: readonly string[], changes: Partial<ProcessFacts> = {}): ProcessFacts {
  const key = changes.key ?? "4711:1"
  const [program = ""] = argv
  return {
    key,
    pid: Number(key.split(":")[0]),
    startNs: key.split(":")[1] ?? "0",
    parent: undefined,
    exe: program.startsWith("/") ? program : `/usr/bin/${program}`,
    argv,
    argvTruncated: false,
    uid: 1_000,
    cwd: "/home/agent",
    containerId: "",
    cgroup: "/system.slice/agent.service",
    comm: program.slice(program.lastIndexOf("/") + 1, 15),
    hasTty: false,
    execUs: startUs,
    sshForwards: [],
    ...changes,
  }
}

export const noExchanges: Exchanges = {
  remoteLed: 0,
  remoteLedAnswered: 0,
  localLed: 0,
  localLedAnswered: 0,
  localReplyLog2: 0,
  remoteReplyLog2: 0,
  sameSizeAnswers: 0,
  strictAlternations: 0,
  answerBytes: 0,
}

/** A host that one detector watches. Each `step` is a batch, and the tick that follows it. */
export class Watch {
  readonly #state = new HostTracker(aHost, new Networks())
  readonly #detector: Detector
  #seq = 0

  constructor(detector: Detector) {
    this.#detector = detector
  }

  get view(): View {
    return this.#state
  }

  step(atUs: number, parts: Partial<Batch> = {}): readonly Claim[] {
    this.#seq += 1
    const claims: Claim[] = []
    for (const change of this.#state.apply({ ...emptyBatch(this.#seq, atUs), ...parts })) {
      claims.push(...this.#detector.observe(change, this.#state))
    }
    claims.push(...this.#detector.tick(atUs, this.#state))
    return claims
  }
}

export function emptyBatch(seq: number, observedUs: number): Batch {
  return {
    seq,
    snapshot: false,
    more: false,
    observedUs,
    lost: nothingLost,
    processes: [],
    connections: [],
    edges: [],
    attachments: [],
    exited: [],
  }
}
