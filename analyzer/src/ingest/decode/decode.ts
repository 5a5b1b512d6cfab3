import { backflow } from "@backflow/proto"
import type { Batch } from "../../domain/batch.js"
import { lostBy, nothingLost } from "../../domain/lost.js"
import type { Lost } from "../../domain/lost.js"
import type { HostFacts, ProcessFacts, ProcessKey } from "../../domain/identity.js"
import { decodeConnections } from "./connections.js"
import { ColumnError, TooManyRecords, isPlausible } from "./context.js"
import type { DecodeContext, RecordContext } from "./context.js"
import { decodeAttachments, decodeEdges } from "./couplings.js"
import { decodeProcesses } from "./processes.js"
import type { RejectionReason } from "./rejections.js"
import { decodeTunnelForwards, decodeTunnelUses } from "./tunnel-uses.js"
import { decodeOverloads, decodeProofs, decodeUnfollowed } from "./self-reports.js"
import { toDecimal, toNumber } from "./uint64.js"
import { wireLimits } from "./wire-limits.js"
import { WireError, WireReader } from "./wire-reader.js"
import type { Span } from "./wire-reader.js"

/** Version of the contract in proto/backflow/v1 that is read and spoken here; collectors of another are refused. */
export const protocolVersion = 1

export interface Hello {
  readonly protocol: number
  readonly host: HostFacts
}

export interface Malformed {
  readonly kind: "malformed"
  readonly reason: RejectionReason
  readonly detail: string
  /** Of "clock_ahead": by how much. */
  readonly aheadUs?: number
}

/** What one CollectorMessage says. A malformed one is worth its stream, for what follows cannot be trusted either. */
export type Decoded =
  | { readonly kind: "hello"; readonly hello: Hello }
  | { readonly kind: "dictionary"; readonly processes: readonly ProcessFacts[] }
  | { readonly kind: "batch"; readonly batch: Batch }
  | Malformed

// Field numbers in collector.proto; the golden batches hold them to it.
const message = { hello: 1, dictionary: 2, snapshot: 3, batch: 4 } as const
const fieldOf = { seq: 1, baseUs: 2, lost: 3, processes: 4, connections: 5, edges: 6, attachments: 7, exited: 8, more: 9, overloads: 10, proofs: 11, unfollowed: 12, tunnelUses: 13, tunnelForwards: 14 } as const // prettier-ignore

/** Reads the bytes of one CollectorMessage. Never throws on any bytes; the dictionary learns and forgets as they say. */
export function decode(bytes: Uint8Array, context: DecodeContext): Decoded {
  try {
    return decodeMessage(bytes, context)
  } catch (error) {
    if (error instanceof TooManyRecords) return malformed("too_many_records", error.message)
    if (error instanceof ColumnError) return malformed("column_length", error.message)
    if (error instanceof Error) return malformed("undecodable", error.message)
    throw error
  }
}

function malformed(reason: RejectionReason, detail: string): Malformed {
  return { kind: "malformed", reason, detail }
}

function decodeMessage(bytes: Uint8Array, context: DecodeContext): Decoded {
  const reader = new WireReader(bytes)
  let last: { readonly field: number; readonly span: Span } | undefined
  while (reader.next()) {
    if (reader.field > message.batch) reader.skip()
    else if (last !== undefined) throw new WireError("a message that is two messages")
    else last = { field: reader.field, span: reader.span() }
  }
  if (last === undefined)
    return malformed("undecodable", "an empty message, or of a kind that this version does not know")
  const { field, span } = last
  if (field === message.hello) return decodeHello(bytes.subarray(span.start, span.end))
  if (field === message.dictionary) return decodeDictionary(bytes, span, context)
  return decodeBatch(bytes, span, context, field === message.snapshot)
}

function decodeHello(bytes: Uint8Array): Decoded {
  const wire = backflow.v1.Hello.decode(bytes)
  const degraded = wire.degraded.map(({ feature, consequence }) => ({
    feature: feature ?? "",
    consequence: consequence ?? "",
  }))
  const names = [wire.hostId, wire.hostName, wire.bootId, wire.kernel, wire.version]
  const sentences = degraded.flatMap(({ feature, consequence }) => [feature, consequence])
  // The parts of an insert token are joined by colons.
  const isKey = (text: string) => /^[!-9;-~]{1,128}$/.test(text)
  if (!isKey(wire.hostId) || !isKey(wire.bootId))
    return malformed("hello", "host_id and boot_id are 1 to 128 printable characters without space and colon")
  if (
    names.some((name) => name.length > wireLimits.nameChars) ||
    sentences.some((text) => text.length > wireLimits.pathChars)
  )
    return malformed("text_length", "a name in Hello is too long")
  if (degraded.length > wireLimits.degraded)
    return malformed("too_many_records", `more than ${wireLimits.degraded} degraded modes`)
  const host: HostFacts = {
    hostId: wire.hostId,
    hostName: wire.hostName === "" ? wire.hostId : wire.hostName,
    bootId: wire.bootId,
    kernel: wire.kernel,
    collectorVersion: wire.version,
    instance: toDecimal(wire.instance),
    degraded,
  }
  return { kind: "hello", hello: { protocol: wire.protocol, host } }
}

function decodeDictionary(bytes: Uint8Array, { start, end }: Span, context: DecodeContext): Decoded {
  const reader = new WireReader(bytes, start, end)
  const spans: Span[] = []
  while (reader.next()) {
    if (reader.field === 1) collect(spans, reader, wireLimits.processesPerBatch)
    else reader.skip()
  }
  return { kind: "dictionary", processes: decodeProcesses(bytes, spans, context) }
}

function decodeBatch(bytes: Uint8Array, { start, end }: Span, context: DecodeContext, snapshot: boolean): Decoded {
  const reader = new WireReader(bytes, start, end)
  let seq = 0
  let baseUs = 0
  let more = false
  let lost = nothingLost
  const processes: Span[] = []
  const connections: Span[] = []
  const edges: Span[] = []
  const attachments: Span[] = []
  const overloads: Span[] = []
  const proofs: Span[] = []
  const tunnelUses: Span[] = []
  const tunnelForwards: Span[] = []
  const unfollowed: Span[] = []
  const exitedReferences: number[] = []
  while (reader.next()) {
    if (reader.field === fieldOf.seq) seq = reader.unsigned()
    else if (reader.field === fieldOf.baseUs) baseUs = reader.unsigned()
    else if (reader.field === fieldOf.more) more = reader.unsigned() !== 0
    else if (reader.field === fieldOf.lost) lost = decodeLost(bytes, reader.span())
    else if (reader.field === fieldOf.processes) collect(processes, reader, wireLimits.processesPerBatch)
    else if (reader.field === fieldOf.connections) collect(connections, reader, 1)
    else if (reader.field === fieldOf.edges) collect(edges, reader, wireLimits.edgesPerBatch)
    else if (reader.field === fieldOf.attachments) collect(attachments, reader, wireLimits.attachmentsPerBatch)
    else if (reader.field === fieldOf.exited) collectPacked(exitedReferences, bytes, reader.span())
    else if (reader.field === fieldOf.overloads) collect(overloads, reader, wireLimits.overloadsPerBatch)
    else if (reader.field === fieldOf.proofs) collect(proofs, reader, wireLimits.proofsPerBatch)
    else if (reader.field === fieldOf.tunnelUses) collect(tunnelUses, reader, wireLimits.tunnelUsesPerBatch)
    else if (reader.field === fieldOf.tunnelForwards) collect(tunnelForwards, reader, wireLimits.tunnelForwardsPerBatch)
    else if (reader.field === fieldOf.unfollowed) collect(unfollowed, reader, wireLimits.unfollowedPerBatch)
    else reader.skip()
  }
  if (!(seq >= 1 && seq <= Number.MAX_SAFE_INTEGER)) return malformed("sequence", "a batch without sequence number")
  if (baseUs > context.nowUs + wireLimits.aheadUs) {
    const aheadUs = baseUs - context.nowUs
    const detail = `the clock of the host is ${Math.round(aheadUs / 1e6)} s ahead of the analyzer's: set it, or the analyzer's`
    return { ...malformed("clock_ahead", detail), aheadUs }
  }
  if (!isPlausible(baseUs, context))
    return malformed("time", "base_us lies before 2000: the clock of the host was never set")

  const facts = decodeProcesses(bytes, processes, context)
  const records: RecordContext = { ...context, baseUs }
  const batch: Batch = {
    seq,
    snapshot,
    more,
    observedUs: baseUs,
    lost,
    processes: facts,
    connections: decodeConnections(bytes, connections, records),
    edges: decodeEdges(bytes, edges, records),
    attachments: decodeAttachments(bytes, attachments, records),
    overloads: decodeOverloads(bytes, overloads, records),
    proofs: decodeProofs(bytes, proofs, records),
    tunnelUses: decodeTunnelUses(bytes, tunnelUses, records),
    tunnelForwards: decodeTunnelForwards(bytes, tunnelForwards, records),
    unfollowed: decodeUnfollowed(bytes, unfollowed, records),
    // After everything that may refer to them.
    exited: exitedReferences.flatMap((reference): ProcessKey[] => {
      const key = context.dictionary.forget(reference)
      return key === undefined ? [] : [key]
    }),
  }
  return { kind: "batch", batch }
}

function collect(spans: Span[], reader: WireReader, max: number): void {
  if (spans.length >= max) throw new TooManyRecords(`more than ${max} of field ${reader.field} in one message`)
  spans.push(reader.span())
}

function collectPacked(values: number[], bytes: Uint8Array, { start, end }: Span): void {
  const reader = new WireReader(bytes, start, end)
  while (reader.position < end) {
    if (values.length >= wireLimits.exitedPerBatch) throw new TooManyRecords("too many ended processes in one batch")
    values.push(reader.varint())
  }
}

function decodeLost(bytes: Uint8Array, { start, end }: Span): Lost {
  const wire = backflow.v1.Lost.decode(bytes.subarray(start, end))
  return lostBy((kind) => toNumber(wire[kind]))
}
