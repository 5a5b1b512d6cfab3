import type { Batch } from "../domain/batch.js"
import type { ConnectionUpdate } from "../domain/connection.js"
import type { Attachment, CouplingEdge } from "../domain/coupling.js"
import type { HostFacts, ProcessFacts } from "../domain/identity.js"
import type { Change } from "../domain/detector.js"
import { Networks } from "../domain/networks.js"
import { HostTracker } from "../connections/host-tracker.js"
import { defaultTrackerLimits } from "../connections/limits.js"
import type { TrackerLimits } from "../connections/limits.js"
import { nothingLost } from "../domain/lost.js"

/** Complete values for tests of the tracker, each with what the test names put in its place. */

/** 2026-01-02 03:04:05 UTC. */
export const sampleUs = 1_767_323_045_000_000

export const aHost: HostFacts = {
  hostId: "host-a",
  hostName: "alpha",
  bootId: "5f2f3a56-3c0e-4a36-9d0c-0d6a3a0f6a11",
  kernel: "6.18.0",
  collectorVersion: "0.1.0",
  instance: "7",
  degraded: [],
}

export function aBatch(seq: number, over: Partial<Batch> = {}): Batch {
  return {
    seq,
    snapshot: false,
    more: false,
    observedUs: sampleUs + seq * 200_000,
    lost: nothingLost,
    processes: [],
    connections: [],
    edges: [],
    attachments: [],
    exited: [],
    ...over,
  }
}

export function anUpdate(over: Partial<ConnectionUpdate> = {}): ConnectionUpdate {
  return {
    cookie: "00000000000000a1",
    netns: 4_026_531_840,
    process: undefined,
    initiator: "local",
    reason: "opened",
    protocol: "tcp",
    ssh: { localIdent: false, remoteIdent: false, localClient: false, remoteClient: false },
    olderThanCollector: false,
    established: true,
    local: { address: "10.0.0.5", port: 40_000 },
    remote: { address: "203.0.113.9", port: 443 },
    openedUs: sampleUs,
    observedUs: sampleUs,
    bytesSent: 0,
    bytesReceived: 0,
    exchanges: undefined,
    ...over,
  }
}

export function someFacts(pid: number, parent?: number, over: Partial<ProcessFacts> = {}): ProcessFacts {
  return {
    key: keyOf(pid),
    pid,
    startNs: "1",
    parent: parent === undefined ? undefined : keyOf(parent),
    exe: `/bin/p${pid}`,
    argv: [`p${pid}`],
    argvTruncated: false,
    uid: 0,
    cwd: "/",
    containerId: "",
    cgroup: "",
    comm: `p${pid}`,
    hasTty: false,
    execUs: sampleUs,
    sshForwards: [],
    ...over,
  }
}

export function keyOf(pid: number): string {
  return `${pid}:1`
}

const noMoments = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 }

export function anEdge(over: Partial<CouplingEdge> = {}): CouplingEdge {
  return {
    group: "0000000000000001",
    kind: "tcp",
    aProcess: undefined,
    bProcess: undefined,
    aRemote: { address: "203.0.113.9", port: 443 },
    aCookie: "00000000000000a1",
    bRemote: { address: "127.0.0.1", port: 8_000 },
    bPath: "",
    bCookie: "00000000000000b1",
    openedAfter: 1,
    openedAlone: 0,
    delayMinNs: 100_000,
    delayLog2: 4_250,
    forwardIn: 0,
    forwardOut: 0,
    backwardIn: 0,
    backwardOut: 0,
    forward: noMoments,
    backward: noMoments,
    openForward: { x: 0, y: 0 },
    openBackward: { x: 0, y: 0 },
    firstUs: sampleUs,
    lastUs: sampleUs,
    ...over,
  }
}

export function anAttachment(over: Partial<Attachment> = {}): Attachment {
  return {
    kind: "pty",
    process: keyOf(1),
    child: keyOf(2),
    cookie: "00000000000000a1",
    stdioMask: 7,
    observedUs: sampleUs,
    childRead: 0,
    childWritten: 0,
    gone: false,
    ...over,
  }
}

export function aState(limits: Partial<TrackerLimits> = {}): HostTracker {
  return new HostTracker(aHost, new Networks(), { ...defaultTrackerLimits, ...limits })
}

/** Applies the batch and gives its changes with the rows it made. */
export function apply(
  state: HostTracker,
  batch: Batch,
): { changes: Change[]; rows: ReturnType<HostTracker["takeRows"]> } {
  return { changes: [...state.apply(batch)], rows: state.takeRows() }
}

/** A moment of the samples, in seconds after their first. */
export const at = (seconds: number) => sampleUs + seconds * 1_000_000
