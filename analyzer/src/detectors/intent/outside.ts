/** Which connection to the outside goes with a request. */
import type { Connection } from "../../domain/connection.js"
import type { ProcessFacts, ProcessKey } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { programName } from "../../text/program-name.js"
import { isOutbound } from "../claims/outbound.js"
import { isAt } from "./place.js"
import type { Intent, TunnelRequest } from "./request.js"
import { intentThresholds as limits } from "./thresholds.js"

/**
 * Names are looked up before anything is dialled: that is no connection to the far side. SSH runs over TCP. A script does more
 * than open its shell: only a connection that leads where its words say, of the program that the words give it to, goes with it.
 */
export function isCandidate(
  connection: Connection,
  { kind, place, carriers }: TunnelRequest,
  owner: Pick<ProcessFacts, "exe" | "argv"> | undefined,
): boolean {
  const { protocol, remote } = connection
  if (remote.port === limits.domainPort && place.port !== limits.domainPort) return false
  if (!isAt(connection, place)) return false
  if (kind !== "shell") return protocol === "tcp" || kind === "tool"
  return owner === undefined || carriers.length === 0 || namesOf(owner).some((name) => carriers.includes(name))
}

/** By executable, and by what it calls itself: one file may be many programs. */
function namesOf({ exe, argv }: Pick<ProcessFacts, "exe" | "argv">): readonly string[] {
  return [programName(exe), programName(argv[0] ?? ""), argv[1] ?? ""]
}

/**
 * Takes a connection that was open before it was known what it is for: of the process itself first, then of what it started (a
 * ProxyCommand). Looked for once in a while, for a process may hold tens of thousands that lead nowhere.
 */
export function findOutside(intent: Intent, process: ProcessKey, request: TunnelRequest, view: View): void {
  if (intent.outside !== undefined || view.nowUs < intent.lookedUs + limits.lookUs) return
  intent.lookedUs = view.nowUs
  const queue = [process]
  for (let i = 0; i < queue.length && i < limits.followedDescendants; i++) {
    const key = queue[i] ?? process
    const found = candidateOf(key, request, view)
    if (found) {
      intent.outside = found
      intent.dialled += 1
      intent.connected += found.established ? 1 : 0
      return
    }
    for (const child of view.childrenOf(key)) {
      if (queue.length >= limits.followedDescendants) break
      queue.push(child)
    }
  }
}

function candidateOf(process: ProcessKey, request: TunnelRequest, view: View): Connection | undefined {
  let looked = 0
  for (const connection of view.connectionsOf(process)) {
    if (isOutbound(connection, view) && isCandidate(connection, request, view.process(process))) return connection
    if (++looked >= limits.lookedConnections) return undefined
  }
  return undefined
}

/**
 * Whether the intent shows this connection now. The first one stays, until it closes or another one proves to be SSH; in joined
 * requests one to a place that was not shown takes its place, so that policy judges each place.
 */
export function takeConnection(intent: Intent, connection: Connection, view: View): boolean {
  if (!isShown(intent, connection, view)) return false
  intent.outside = connection
  if (intent.shownPlaces.size < limits.shownPlaces) intent.shownPlaces.add(connection.remote.address)
  return true
}

function isShown({ outside, isJoined, shownPlaces }: Intent, connection: Connection, view: View): boolean {
  if (outside === undefined || outside.cookie === connection.cookie) return true
  if (connection.closed !== undefined) return false
  const held = view.connection(outside.cookie)
  if (held === undefined || held.closed !== undefined) return true
  if (isJoined && shownPlaces.size < limits.shownPlaces && !shownPlaces.has(connection.remote.address)) return true
  return connection.ssh.localIdent && !held.ssh.localIdent
}
