import { deviceIdOf } from "../domain/tunnel-use.js"
import type { TunnelForward, TunnelUse } from "../domain/tunnel-use.js"
import type { Attachment } from "../domain/coupling.js"
import { anAttachment } from "./couplings.js"
import { anUpdate } from "./connections.js"
import { keyOf } from "./processes.js"
import { startUs } from "./time.js"

/** Of the namespace that `anUpdate` has its connections in. */
export const tunId = deviceIdOf(anUpdate().netns, 7)
/** Of the namespace of a container. */
export const tapId = deviceIdOf(4_026_532_999, 2)

/** One request of 90 bytes by tun0, answered with 700, right after the far side spoke. */
export function aTunnelUse(changes: Partial<TunnelUse> = {}): TunnelUse {
  return {
    deviceId: tunId,
    deviceName: "tun0",
    cookie: "00000000000000c1",
    service: keyOf(80),
    writer: "4711:1",
    local: { address: "10.98.0.2", port: 8_001 },
    remote: { address: "10.98.0.1", port: 40_000 },
    accepted: 1,
    acceptedAfter: 1,
    bytesIn: 90,
    bytesOut: 700,
    firstUs: startUs,
    lastUs: startUs,
    ...changes,
  }
}

/** One machine behind tun0 asked one beyond this host, right after the far side spoke, and was answered. */
export function aTunnelForward(changes: Partial<TunnelForward> = {}): TunnelForward {
  return {
    deviceId: tunId,
    deviceName: "tun0",
    writer: "4711:1",
    outside: "10.98.0.1",
    inside: "10.0.0.80",
    opened: 1,
    openedAfter: 1,
    answered: 1,
    packetsIn: 6,
    packetsOut: 5,
    firstUs: startUs,
    lastUs: startUs,
    ...changes,
  }
}

/** The owner of `anUpdate` holds the other end of the device. */
export function aTun(changes: Partial<Attachment> = {}): Attachment {
  return anAttachment({ kind: "tun", process: "4711:1", child: undefined, cookie: tunId, stdioMask: 0, ...changes })
}
