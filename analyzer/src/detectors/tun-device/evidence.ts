/** A way in through a tun device in words and numbers that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { TunnelUse } from "../../domain/tunnel-use.js"
import type { View } from "../../domain/view.js"
import { bytesText, plural } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import { processText } from "../../text/program-name.js"
import type { Verdict, Way } from "./judge.js"
import { tunDeviceThresholds } from "./thresholds.js"

export const detectorName = "tun-device"

export function claimOf(way: Way, verdict: Verdict, view: View): Claim {
  const { used, holder, outside } = way
  const { score, confidence } = tunDeviceThresholds.verdicts[verdict.grade]
  return {
    class: "reverse_tunnel",
    detector: detectorName,
    subject: subjectOf(holder, used.deviceId),
    score,
    confidence,
    firstSeenUs: used.firstUs,
    lastSeenUs: Math.max(used.lastUs, used.firstUs),
    process: holder,
    cookie: outside.cookie,
    summary: summaryOf(way, verdict, view),
    evidence: [usedEvidence(used, view), carriedEvidence(used, outside, verdict)],
    attack: ["T1572", "T1133"],
    status: "active",
  }
}

export function subjectOf(holder: string, deviceId: string): string {
  return `${holder} ${deviceId}`
}

const did: Readonly<Record<Verdict["grade"], string>> = {
  carried: "reached",
  answered: "reached",
  connected: "connected to",
  calledBack: "called back",
}

function summaryOf({ used, holder, outside }: Way, { grade }: Verdict, view: View): string {
  const place = endpointText(outside.remote)
  const service = endpointText(used.local)
  return `Through ${used.deviceName || "a tun device"}, which ${processText(view.process(holder))} on ${view.host.hostName} carries to ${place}, ${used.remote.address} ${did[grade]} ${service} of this host.`
}

function usedEvidence(used: TunnelUse, view: View): Evidence {
  const who = processText(used.service === undefined ? undefined : view.process(used.service))
  return {
    kind: "tunnel-use",
    text: `${who} accepted the last of ${plural(used.accepted, "connection")} at ${endpointText(used.local)} from ${endpointText(used.remote)} by this device; ${bytesText(used.bytesIn)} came in and ${bytesText(used.bytesOut)} were answered.`,
    atUs: used.lastUs,
    facts: {
      device: used.deviceName,
      device_id: used.deviceId,
      service: used.service ?? "",
      local: endpointText(used.local),
      remote: endpointText(used.remote),
      accepted: used.accepted,
      bytes_in: used.bytesIn,
      bytes_out: used.bytesOut,
    },
  }
}

function carriedEvidence(used: TunnelUse, outside: Connection, { followed, carried }: Verdict): Evidence {
  const order = `${used.acceptedAfter} of ${used.accepted} were accepted within 0.1 s after the far side spoke to the holder of the device`
  const volume = `its connection to ${endpointText(outside.remote)} has brought ${bytesText(outside.bytesReceived)} and taken ${bytesText(outside.bytesSent)}`
  return {
    kind: "tunnel-carrier",
    text: `${order}; ${volume}${carried ? "" : ", less than came in and was answered, as far as it has been read"}.`,
    atUs: outside.observedUs,
    facts: {
      accepted_after: used.acceptedAfter,
      followed,
      carried,
      bytes_received: outside.bytesReceived,
      bytes_sent: outside.bytesSent,
    },
  }
}
