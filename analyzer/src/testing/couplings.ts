import type { Attachment, CouplingEdge, CouplingPoint, Executions, TurnOrder } from "../domain/coupling.js"
import { noTurnOrder } from "../domain/turn-order.js"
import { keyOf } from "./processes.js"
import { startUs } from "./time.js"

export const noMoments = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 }

/** Order of B opened so often, each 2^8 times sooner after A spoke than the time between A's messages. */
export function promptly(times: number, changes: Partial<TurnOrder> = {}): TurnOrder {
  return { ...noTurnOrder, leadLog2: 256 * 8 * times, ...changes }
}

export function anEdge(changes: Partial<CouplingEdge> = {}): CouplingEdge {
  return {
    group: "0000000000000001",
    kind: "tcp",
    aProcess: "4711:1",
    bProcess: "4711:1",
    aRemote: { address: "203.0.113.9", port: 443 },
    aCookie: "00000000000003e8",
    bRemote: { address: "127.0.0.1", port: 8_000 },
    bPath: "",
    bCookie: "00000000000000b1",
    joinedBy: "lineage",
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
    order: promptly(1),
    firstUs: startUs,
    lastUs: startUs,
    ...changes,
  }
}

export function anExecutions(changes: Partial<Executions> = {}): Executions {
  const none = { x: 0, y: 0 }
  return {
    exposedNs: [0, 0, 0, 0, 0],
    started: [0, 0, 0, 0, 0],
    firstForward: none,
    firstBackward: none,
    typed: 0,
    typedLog2: 0,
    untyped: 0,
    ...changes,
  }
}

export function anAttachment(changes: Partial<Attachment> = {}): Attachment {
  return {
    kind: "pty",
    process: keyOf(1),
    child: keyOf(2),
    cookie: "00000000000003e8",
    stdioMask: 7,
    observedUs: startUs,
    childRead: 0,
    childWritten: 0,
    gone: false,
    ...changes,
  }
}

/** Totals after one forwarded request of a real ssh -R. */
export function aCouplingPoint(changes: Partial<CouplingPoint> = {}): CouplingPoint {
  return {
    cookie: "00000000000003e8",
    group: "0000000000000001",
    channel: "127.0.0.1:8000",
    atUs: startUs,
    opened: 1,
    forwardIn: 116,
    forwardOut: 79,
    backwardIn: 206,
    backwardOut: 244,
    ...changes,
  }
}
