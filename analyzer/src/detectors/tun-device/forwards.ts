/** What this host passed on between a tun or tap device and other machines, as a claim. */
import type { Connection } from "../../domain/connection.js"
import type { Claim } from "../../domain/detector.js"
import type { ProcessKey } from "../../domain/identity.js"
import type { TunnelForward } from "../../domain/tunnel-use.js"
import type { View } from "../../domain/view.js"
import { bytesText, plural } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import { processText } from "../../text/program-name.js"
import { detectorName, subjectOf } from "./evidence.js"
import { busiestOutside, judgeForward } from "./judge.js"
import { tunDeviceThresholds } from "./thresholds.js"

/** A subject of its own: what was reached beyond the host does not take the place of what was reached on it. */
export function forwardSubjectOf(holder: ProcessKey, deviceId: string): string {
  return `${subjectOf(holder, deviceId)} forward`
}

export function forwardClaim(forward: TunnelForward, holder: ProcessKey, view: View): Claim | undefined {
  const grade = judgeForward(forward)
  const outside = grade === undefined ? undefined : busiestOutside(forward, holder, view)
  if (grade === undefined || outside === undefined) return undefined
  const { score, confidence } = tunDeviceThresholds.verdicts[grade]
  const { deviceName, firstUs, lastUs } = forward
  const device = deviceName || "a tun device"
  const did = grade === "forwarded" ? "reached" : "was passed on to"
  return {
    class: "reverse_tunnel",
    detector: detectorName,
    subject: forwardSubjectOf(holder, forward.deviceId),
    score,
    confidence,
    firstSeenUs: firstUs,
    lastSeenUs: Math.max(firstUs, lastUs),
    process: holder,
    cookie: outside.cookie,
    summary: `Through ${device}, which ${processText(view.process(holder))} on ${view.host.hostName} carries to ${endpointText(outside.remote)}, ${forward.outside} ${did} ${forward.inside} beyond this host.`,
    evidence: [forwardEvidence(forward, outside)],
    attack: ["T1572", "T1133"],
    status: "active",
  }
}

function forwardEvidence(forward: TunnelForward, outside: Connection): Claim["evidence"][0] {
  const { opened, openedAfter, answered, packetsIn, packetsOut } = forward
  const order = `${openedAfter} of ${plural(opened, "pair")} of machines began within 0.1 s after the far side spoke to the holder of the device`
  const volume = `its connection to ${endpointText(outside.remote)} has brought ${bytesText(outside.bytesReceived)} and taken ${bytesText(outside.bytesSent)}`
  return {
    kind: "tunnel-forward",
    text: `The kernel of this host passed ${plural(packetsIn, "packet")} on from the device and ${packetsOut} back; ${order}, ${answered} were answered; ${volume}.`,
    atUs: forward.lastUs,
    facts: {
      device: forward.deviceName,
      device_id: forward.deviceId,
      outside: forward.outside,
      inside: forward.inside,
      opened,
      opened_after: openedAfter,
      answered,
      packets_in: packetsIn,
      packets_out: packetsOut,
    },
  }
}
