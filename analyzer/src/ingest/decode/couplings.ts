import { backflow } from "@backflow/proto"
import { formatAddress } from "../../domain/address.js"
import type {
  Attachment,
  CouplingEdge,
  EdgeKind,
  Executions,
  JoinedBy,
  Moments,
  TurnOrder,
} from "../../domain/coupling.js"
import type { Endpoint } from "../../domain/identity.js"
import { noTurnOrder } from "../../domain/turn-order.js"
import { isPlausible, processOf } from "./context.js"
import type { RecordContext } from "./context.js"
import { toHex, toNumber } from "./uint64.js"
import type { Uint64Halves } from "./uint64.js"
import { wireLimits } from "./wire-limits.js"
import type { Span } from "./wire-reader.js"

const edgeKinds: readonly (EdgeKind | undefined)[] = [undefined, "tcp", "udp", "unix", "exec", "many"]
const joinedBy: readonly JoinedBy[] = ["lineage", "descriptor", "workload"]
const attachmentKinds: Readonly<Record<number, Attachment["kind"]>> = {
  1: "stdio-socket",
  2: "pty",
  3: "pipe",
  4: "tun",
  15: "pipe-between",
}

/** Reads Edge messages; one that makes no sense is left out and counted. */
export function decodeEdges(bytes: Uint8Array, spans: readonly Span[], context: RecordContext): CouplingEdge[] {
  return spans.flatMap(({ start, end }) => readEdge(bytes.subarray(start, end), context) ?? [])
}

function readEdge(bytes: Uint8Array, context: RecordContext): CouplingEdge | undefined {
  const wire = backflow.v1.Edge.decode(bytes)
  const kind = edgeKinds[wire.kind]
  const aRemote = readEndpoint(wire.aRemote, wire.aPort)
  const bRemote = wire.bRemote.length === 0 ? nowhere : readEndpoint(wire.bRemote, wire.bPort)
  const [firstUs, lastUs] = [toNumber(wire.firstUs), toNumber(wire.lastUs)]
  if (kind === undefined) context.reject("edge_kind")
  else if (aRemote === undefined || bRemote === undefined) context.reject("address_length")
  else if (wire.aPort > 65_535 || wire.bPort > 65_535) context.reject("port")
  else if (wire.bPath.length > wireLimits.unixPathChars) context.reject("text_length")
  else if (!isPlausible(firstUs, context) || !isPlausible(lastUs, context)) context.reject("time")
  else
    return {
      group: toHex(wire.group),
      kind,
      aProcess: processOf(wire.aProcess, context),
      bProcess: processOf(wire.process, context),
      aRemote,
      aCookie: toHex(wire.aCookie),
      bRemote,
      bPath: wire.bPath,
      bCookie: toHex(wire.bCookie),
      // What a newer collector calls otherwise rests on no more than the least of these.
      joinedBy: joinedBy[wire.joinedBy] ?? "workload",
      openedAfter: wire.openedAfter,
      openedAlone: wire.openedAlone,
      delayMinNs: toNumber(wire.delayMinNs),
      delayLog2: toNumber(wire.delayLog2),
      forwardIn: toNumber(wire.forwardIn),
      forwardOut: toNumber(wire.forwardOut),
      backwardIn: toNumber(wire.backwardIn),
      backwardOut: toNumber(wire.backwardOut),
      forward: readMoments(wire.forward),
      backward: readMoments(wire.backward),
      openForward: { x: toNumber(wire.openForwardIn), y: toNumber(wire.openForwardOut) },
      openBackward: { x: toNumber(wire.openBackwardIn), y: toNumber(wire.openBackwardOut) },
      order: readOrder(wire.order),
      ...(kind === "exec" && { executions: readExecutions(wire) }),
      firstUs,
      lastUs,
    }
  return undefined
}

const delayClasses = [0, 1, 2, 3, 4]

function readExecutions(wire: backflow.v1.Edge): Executions {
  const { exposedNs, started, firstForward, firstBackward, typed, typedLog2, untyped } = wire
  return {
    exposedNs: delayClasses.map((i) => (exposedNs[i] === undefined ? 0 : toNumber(exposedNs[i]))),
    started: delayClasses.map((i) => started[i] ?? 0),
    firstForward: { x: firstForward[0] ?? 0, y: firstForward[1] ?? 0 },
    firstBackward: { x: firstBackward[0] ?? 0, y: firstBackward[1] ?? 0 },
    typed,
    typedLog2,
    untyped,
  }
}

/** Reads Attachment messages; one without a known holder claims nothing and is left out. */
export function decodeAttachments(bytes: Uint8Array, spans: readonly Span[], context: RecordContext): Attachment[] {
  return spans.flatMap(({ start, end }) => readAttachment(bytes.subarray(start, end), context) ?? [])
}

function readAttachment(bytes: Uint8Array, context: RecordContext): Attachment | undefined {
  const wire = backflow.v1.Attachment.decode(bytes)
  const kind = attachmentKinds[wire.kind]
  const observedUs = toNumber(wire.observedUs)
  const process = context.dictionary.keyOf(wire.process)
  if (kind === undefined) context.reject("attachment_kind")
  else if (process === undefined) context.reject("unknown_process")
  else if (!isPlausible(observedUs, context)) context.reject("time")
  else
    return {
      kind,
      process,
      child: processOf(wire.child, context),
      cookie: toHex(wire.cookie),
      stdioMask: wire.stdioMask & 7,
      observedUs,
      childRead: toNumber(wire.childRead),
      childWritten: toNumber(wire.childWritten),
      gone: wire.gone,
    }
  return undefined
}

const nowhere: Endpoint = { address: "", port: 0 }

function readEndpoint(address: Uint8Array, port: number): Endpoint | undefined {
  return address.length === 16 ? { address: formatAddress(address), port } : undefined
}

type WireMoments = { readonly [K in keyof Moments]?: Uint64Halves | null }

function readMoments(wire: WireMoments | null | undefined): Moments {
  const at = (word: Uint64Halves | null | undefined) => (word ? toNumber(word) : 0)
  return { n: at(wire?.n), x: at(wire?.x), y: at(wire?.y), xx: at(wire?.xx), yy: at(wire?.yy), xy: at(wire?.xy) }
}

type Counters = Exclude<keyof TurnOrder, "leadLog2">
type WireOrder = { readonly [K in Counters]?: number | null } & {
  readonly [K in Exclude<keyof TurnOrder, Counters>]?: Uint64Halves | null
}

function readOrder(wire: WireOrder | null | undefined): TurnOrder {
  if (!wire) return noTurnOrder
  return {
    openedLate: wire.openedLate ?? 0,
    waited: wire.waited ?? 0,
    straight: wire.straight ?? 0,
    prompted: wire.prompted ?? 0,
    own: wire.own ?? 0,
    passed: wire.passed ?? 0,
    kept: wire.kept ?? 0,
    streamed: wire.streamed ?? 0,
    closedAfter: wire.closedAfter ?? 0,
    closedAlone: wire.closedAlone ?? 0,
    leadLog2: wire.leadLog2 ? toNumber(wire.leadLog2) : 0,
  }
}
