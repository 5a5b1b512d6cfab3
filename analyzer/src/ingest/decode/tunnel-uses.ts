import { backflow } from "@backflow/proto"
import { formatAddress } from "../../domain/address.js"
import { deviceIdOf } from "../../domain/tunnel-use.js"
import type { TunnelForward, TunnelUse } from "../../domain/tunnel-use.js"
import { isPlausible, processOf } from "./context.js"
import type { RecordContext } from "./context.js"
import { toHex, toNumber } from "./uint64.js"
import { wireLimits } from "./wire-limits.js"
import type { Span } from "./wire-reader.js"

/** What came in through tun and tap devices; a record that makes no sense is left out and counted. */
export function decodeTunnelUses(bytes: Uint8Array, spans: readonly Span[], context: RecordContext): TunnelUse[] {
  return spans.flatMap(({ start, end }) => readTunnelUse(bytes.subarray(start, end), context) ?? [])
}

function readTunnelUse(bytes: Uint8Array, context: RecordContext): TunnelUse | undefined {
  const wire = backflow.v1.TunnelUse.decode(bytes)
  const [firstUs, lastUs] = [toNumber(wire.firstUs), toNumber(wire.lastUs)]
  if (wire.local.length !== 16 || wire.remote.length !== 16) context.reject("address_length")
  else if (wire.localPort > 65_535 || wire.remotePort > 65_535) context.reject("port")
  else if (wire.deviceName.length > wireLimits.nameChars) context.reject("text_length")
  else if (!isPlausible(firstUs, context) || !isPlausible(lastUs, context)) context.reject("time")
  else
    return {
      deviceId: deviceIdOf(wire.netns, wire.device),
      deviceName: wire.deviceName,
      cookie: toHex(wire.cookie),
      service: processOf(wire.service, context),
      writer: processOf(wire.writer, context),
      local: { address: formatAddress(wire.local), port: wire.localPort },
      remote: { address: formatAddress(wire.remote), port: wire.remotePort },
      accepted: toNumber(wire.accepted),
      acceptedAfter: toNumber(wire.acceptedAfter),
      bytesIn: toNumber(wire.bytesIn),
      bytesOut: toNumber(wire.bytesOut),
      firstUs,
      lastUs,
    }
  return undefined
}

/** What was passed on from such devices to other machines. */
export function decodeTunnelForwards(
  bytes: Uint8Array,
  spans: readonly Span[],
  context: RecordContext,
): TunnelForward[] {
  return spans.flatMap(({ start, end }) => readTunnelForward(bytes.subarray(start, end), context) ?? [])
}

function readTunnelForward(bytes: Uint8Array, context: RecordContext): TunnelForward | undefined {
  const wire = backflow.v1.TunnelForward.decode(bytes)
  const [firstUs, lastUs] = [toNumber(wire.firstUs), toNumber(wire.lastUs)]
  if (wire.outside.length !== 16 || wire.inside.length !== 16) context.reject("address_length")
  else if (wire.deviceName.length > wireLimits.nameChars) context.reject("text_length")
  else if (!isPlausible(firstUs, context) || !isPlausible(lastUs, context)) context.reject("time")
  else
    return {
      deviceId: deviceIdOf(wire.netns, wire.device),
      deviceName: wire.deviceName,
      writer: processOf(wire.writer, context),
      outside: formatAddress(wire.outside),
      inside: formatAddress(wire.inside),
      opened: toNumber(wire.opened),
      openedAfter: toNumber(wire.openedAfter),
      answered: toNumber(wire.answered),
      packetsIn: toNumber(wire.packetsIn),
      packetsOut: toNumber(wire.packetsOut),
      firstUs,
      lastUs,
    }
  return undefined
}
