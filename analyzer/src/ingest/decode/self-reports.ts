import { backflow } from "@backflow/proto"
import type { Overload, OverloadKind } from "../../domain/overload.js"
import type { Proof } from "../../domain/proof.js"
import type { Unfollowed } from "../../domain/unfollowed.js"
import { isPlausible, processOf } from "./context.js"
import type { RecordContext } from "./context.js"
import { toNumber } from "./uint64.js"
import { wireLimits } from "./wire-limits.js"
import type { Span } from "./wire-reader.js"

const kinds: readonly (OverloadKind | undefined)[] = [undefined, "edges", "groups", "descriptors", "records"]

/** What a collector says of who was over one of its bounds; a record that makes no sense is left out and counted. */
export function decodeOverloads(bytes: Uint8Array, spans: readonly Span[], context: RecordContext): Overload[] {
  return spans.flatMap(({ start, end }) => readOverload(bytes.subarray(start, end), context) ?? [])
}

function readOverload(bytes: Uint8Array, context: RecordContext): Overload | undefined {
  const wire = backflow.v1.Overload.decode(bytes)
  const kind = kinds[wire.kind]
  const [firstUs, lastUs] = [toNumber(wire.firstUs), toNumber(wire.lastUs)]
  if (kind === undefined) context.reject("overload_kind")
  else if (!isPlausible(firstUs, context) || !isPlausible(lastUs, context)) context.reject("time")
  else
    return {
      kind,
      process: processOf(wire.process, context),
      count: toNumber(wire.count),
      limit: toNumber(wire.limit),
      firstUs,
      lastUs,
    }
  return undefined
}

/** Relays that a collector opened to prove that they are found; a record that makes no sense is left out and counted. */
export function decodeProofs(bytes: Uint8Array, spans: readonly Span[], context: RecordContext): Proof[] {
  return spans.flatMap(({ start, end }) => readProof(bytes.subarray(start, end), context) ?? [])
}

function readProof(bytes: Uint8Array, context: RecordContext): Proof | undefined {
  const wire = backflow.v1.Proof.decode(bytes)
  const startedUs = toNumber(wire.startedUs)
  if (wire.nonce.length !== wireLimits.nonceBytes) context.reject("nonce")
  else if (wire.failure.length > wireLimits.nameChars) context.reject("text_length")
  else if (!isPlausible(startedUs, context)) context.reject("time")
  else
    return {
      nonce: Buffer.from(wire.nonce).toString("hex"),
      process: processOf(wire.process, context),
      startedUs,
      failure: wire.failure,
    }
  return undefined
}

/** What a collector does not follow; a record that makes no sense is left out and counted. */
export function decodeUnfollowed(bytes: Uint8Array, spans: readonly Span[], context: RecordContext): Unfollowed[] {
  return spans.flatMap(({ start, end }) => readUnfollowed(bytes.subarray(start, end), context) ?? [])
}

function readUnfollowed(bytes: Uint8Array, context: RecordContext): Unfollowed | undefined {
  const { what, process, bytes: total, lastUs: last } = backflow.v1.Unfollowed.decode(bytes)
  const lastUs = toNumber(last)
  if (what.length > wireLimits.nameChars) context.reject("text_length")
  else if (!isPlausible(lastUs, context)) context.reject("time")
  else
    return {
      what,
      process: process === 0 ? undefined : processOf(process, context),
      bytes: toNumber(total),
      lastUs,
    }
  return undefined
}
