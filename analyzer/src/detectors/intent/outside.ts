/** The connection to the outside that goes with what was asked for. */
import type { Connection } from "../../domain/connection.js"
import type { ProcessKey } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { isOutbound } from "../outbound.js"
import { thresholds } from "../thresholds.js"
import type { TunnelRequest } from "./request.js"

const domainPort = 53

/** Names are looked up before anything is dialled: that is no connection to the far side. SSH runs over TCP. */
export function isCandidate({ protocol, remote }: Connection, { kind }: TunnelRequest): boolean {
  if (remote.port === domainPort) return false
  return protocol === "tcp" || kind === "tool"
}

/** Of the process itself first, then of what it started (a ProxyCommand). */
export function findOutside(process: ProcessKey, request: TunnelRequest, view: View): Connection | undefined {
  const queue = [process]
  for (let i = 0; i < queue.length && i < thresholds.intent.followedDescendants; i++) {
    const key = queue[i] ?? process
    const found = view
      .connectionsOf(key)
      .find((connection) => isOutbound(connection, view) && isCandidate(connection, request))
    if (found) return found
    queue.push(...view.childrenOf(key))
  }
  return undefined
}
