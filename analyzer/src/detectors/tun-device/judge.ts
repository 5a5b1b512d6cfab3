/** Whether who is outside has reached a service of this host through a tun or tap device: a pure function over counts. */
import type { Connection } from "../../domain/connection.js"
import type { ProcessKey } from "../../domain/identity.js"
import { netnsOfDevice } from "../../domain/tunnel-use.js"
import type { TunnelForward, TunnelUse } from "../../domain/tunnel-use.js"
import type { View } from "../../domain/view.js"
import { isOutbound } from "../claims/outbound.js"
import { tunDeviceThresholds as limits } from "./thresholds.js"

/** A device that was used, who holds its other end, and the connection to the outside that it may be used over. */
export interface Way {
  readonly used: TunnelUse
  readonly holder: ProcessKey
  readonly outside: Connection
}

export interface Verdict {
  readonly grade: Exclude<keyof typeof limits.verdicts, "forwarded">
  readonly followed: boolean
  readonly carried: boolean
}

/** What came in follows what the outside said to the holder. */
function isFollowed({ accepted, acceptedAfter }: TunnelUse): boolean {
  return acceptedAfter > 0 && acceptedAfter >= accepted * limits.followedShare
}

/** The outside connection has moved as much, each way, as the services have. */
function isCarriedBy({ bytesIn, bytesOut }: TunnelUse, { bytesReceived, bytesSent }: Connection): boolean {
  const isAnswered = bytesIn > 0 && bytesOut > 0
  return isAnswered && bytesReceived >= bytesIn * limits.carriedShare && bytesSent >= bytesOut * limits.carriedShare
}

/**
 * The device of another network namespace than the holder's is a user-mode network, as rootless containers have: its holder
 * is spoken to from outside for whatever runs there, so that only a connection that carried the bytes counts.
 */
function isOfOtherNamespace({ deviceId }: TunnelUse, { netns }: Connection): boolean {
  return netnsOfDevice(deviceId) !== netns
}

export function judge({ used, outside }: Omit<Way, "holder">, isCalledBack: boolean): Verdict | undefined {
  const carried = isCarriedBy(used, outside)
  const followed = isFollowed(used)
  if (!carried && (!followed || isOfOtherNamespace(used, outside))) return undefined
  return { grade: gradeOf(used, carried && followed, isCalledBack), followed, carried }
}

function gradeOf({ bytesIn, bytesOut }: TunnelUse, isBoth: boolean, isCalledBack: boolean): Verdict["grade"] {
  if (isCalledBack) return "calledBack"
  if (bytesIn === 0 || bytesOut === 0) return "connected"
  return isBoth ? "carried" : "answered"
}

/**
 * Outside connections of who holds the device, or of the processes next to it (one that opens the device and starts another
 * for the connection). One that mirrors a connection of the device's namespace belongs to what runs there.
 */
export function* outsideOf(holder: ProcessKey, view: View): Generator<Connection> {
  let compared = 0
  for (const process of nextTo(holder, view))
    for (const connection of view.connectionsOf(process)) {
      if (++compared > limits.comparedConnections) return
      if (isOutbound(connection, view) && view.mirrorOf(connection) === undefined) yield connection
    }
}

function* nextTo(holder: ProcessKey, view: View): Generator<ProcessKey> {
  yield holder
  const parent = view.process(holder)?.parent
  if (parent !== undefined) yield parent
  let children = 0
  for (const child of view.childrenOf(holder)) {
    if (++children > limits.comparedChildren) return
    yield child
  }
}

/** What was passed on to other machines follows what the outside said to the holder of the device. */
export function judgeForward(forward: TunnelForward): "forwarded" | "connected" | undefined {
  const { opened, openedAfter, answered } = forward
  if (openedAfter === 0 || openedAfter < opened * limits.followedShare) return undefined
  return answered > 0 ? "forwarded" : "connected"
}

/** The outside connection of the holder, in the namespace of the device, that has brought most. */
export function busiestOutside({ deviceId }: TunnelForward, holder: ProcessKey, view: View): Connection | undefined {
  let busiest: Connection | undefined
  for (const outside of outsideOf(holder, view))
    if (netnsOfDevice(deviceId) === outside.netns && outside.bytesReceived > (busiest?.bytesReceived ?? 0))
      busiest = outside
  return busiest
}

/** The outside connection that speaks most clearly for a way in, and what it says. */
export function best(used: TunnelUse, holder: ProcessKey, view: View): { way: Way; verdict: Verdict } | undefined {
  const { service, remote } = used
  const isCalledBack = service !== undefined && view.isConnected(service, remote.address)
  let found: { way: Way; verdict: Verdict } | undefined
  for (const outside of outsideOf(holder, view)) {
    const verdict = judge({ used, outside }, isCalledBack)
    if (verdict === undefined) continue
    if (found === undefined || isClearer({ verdict, outside }, { verdict: found.verdict, outside: found.way.outside }))
      found = { way: { used, holder, outside }, verdict }
  }
  return found
}

interface Judged {
  readonly verdict: Verdict
  readonly outside: Connection
}

function isClearer(one: Judged, other: Judged): boolean {
  const [a, b] = [limits.verdicts[one.verdict.grade].score, limits.verdicts[other.verdict.grade].score]
  return a === b ? one.outside.bytesReceived > other.outside.bytesReceived : a > b
}
