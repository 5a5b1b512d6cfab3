/**
 * Intent: a process was asked, by its arguments or a file that it reads, for a way back in. The same words in a process and
 * in what it starts for the purpose (`ssh -f`, autossh and its ssh) are one intent.
 */
import type { Connection } from "../../domain/connection.js"
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { ProcessFacts, ProcessKey } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"
import { requestOf, requestOfRenamed } from "./judge.js"
import type { Intent, TunnelRequest } from "./request.js"
import { intentThresholds as limits } from "./thresholds.js"

interface State {
  readonly intents: Map<ProcessKey, Intent>
  readonly subjectOf: Map<ProcessKey, ProcessKey>
}

export function intent(): Detector {
  const state: State = { intents: new Map(), subjectOf: new Map() }
  return {
    name: detectorName,
    observe(change, view) {
      if (change.kind === "process") return onProcess(change.facts, change.previous, view, state)
      if (change.kind === "connection") return onConnection(change, view, state)
      return change.kind === "exit" ? leave(change.process, view, state) : []
    },
    tick: () => [],
  }
}

function onProcess(
  facts: ProcessFacts,
  previous: ProcessFacts | undefined,
  view: View,
  state: State,
): readonly Claim[] {
  const request = requestOf(facts)
  const before = intentOf(facts.key, state)
  // Facts that are sent again do not change what a renamed client was found to ask for.
  if (request === undefined) return before && !isSameProgram(facts, previous) ? leave(facts.key, view, state) : []
  if (before && asksFor(before.request, request) && asksFor(request, before.request)) return []
  const left = before ? leave(facts.key, view, state) : []
  return [...left, ...join(facts, request, view, state)]
}

function join(facts: ProcessFacts, request: TunnelRequest, view: View, state: State): readonly Claim[] {
  const above = facts.parent === undefined ? undefined : intentOf(facts.parent, state)
  if (above && asksFor(request, above.request)) {
    above.members.add(facts.key)
    state.subjectOf.set(facts.key, above.subject)
    return []
  }
  const made: Intent = {
    subject: facts.key,
    request: request,
    firstSeenUs: Math.min(facts.execUs, view.nowUs),
    members: new Set([facts.key]),
    outside: findOutside(facts.key, request, view),
  }
  state.intents.set(made.subject, made)
  state.subjectOf.set(facts.key, made.subject)
  return [claimOf(made, "active", view)]
}

function leave(key: ProcessKey, view: View, state: State): readonly Claim[] {
  const found = intentOf(key, state)
  if (!found) return []
  state.subjectOf.delete(key)
  if (found.members.size > 1) {
    found.members.delete(key)
    return []
  }
  state.intents.delete(found.subject)
  return [claimOf(found, "ended", view)]
}

function onConnection(
  { connection, previous }: Extract<Change, { kind: "connection" }>,
  view: View,
  state: State,
): readonly Claim[] {
  const { process, closed, established, ssh } = connection
  const spokeSsh = ssh.localClient && previous?.ssh.localClient !== true
  if (process === undefined || (state.intents.size === 0 && !spokeSsh)) return []
  const isNews = process !== previous?.process || established !== previous.established || closed !== previous.closed
  if ((!isNews && !spokeSsh) || !isOutbound(connection, view)) return []
  const found = intentAbove(process, view, state)
  if (found) return isCandidate(connection, found.request) ? connect(found, connection, view, state) : []
  const facts = spokeSsh ? view.process(process) : undefined
  const request = facts && requestOfRenamed(facts)
  return facts && request ? join(facts, request, view, state) : []
}

/** The first connection stays the one that is shown, until it closes or another one proves to be SSH. */
function connect(found: Intent, connection: Connection, view: View, state: State): readonly Claim[] {
  const held = found.outside && view.connection(found.outside.cookie)
  const isHeld = found.outside?.cookie === connection.cookie
  const isBetter = !held || held.closed !== undefined || (connection.ssh.localIdent && !held.ssh.localIdent)
  if (!isHeld && (!isBetter || connection.closed !== undefined)) return []
  const next = { ...found, outside: connection }
  state.intents.set(found.subject, next)
  return [claimOf(next, "active", view)]
}

function intentOf(key: ProcessKey, state: State): Intent | undefined {
  const subject = state.subjectOf.get(key)
  return subject === undefined ? undefined : state.intents.get(subject)
}

/** A ProxyCommand connects in the name of the client that started it. */
function intentAbove(process: ProcessKey, view: View, state: State): Intent | undefined {
  const own = intentOf(process, state)
  if (own) return own
  for (const { key } of view.ancestors(process)) {
    const found = intentOf(key, state)
    if (found) return found
  }
  return undefined
}

/** Whether `a` asks for all that `b` asks for: autossh adds a forwarding of its own to what it was given. */
function asksFor(a: TunnelRequest, b: TunnelRequest): boolean {
  return b.forwards.every((what) => a.forwards.includes(what))
}

function isSameProgram(facts: ProcessFacts, previous: ProcessFacts | undefined): boolean {
  return previous?.exe === facts.exe && previous.argv.join("\0") === facts.argv.join("\0")
}

/** Names are looked up before anything is dialled: that is no connection to the far side. SSH runs over TCP. */
function isCandidate({ protocol, remote }: Connection, { kind }: TunnelRequest): boolean {
  if (remote.port === limits.domainPort) return false
  return protocol === "tcp" || kind === "tool"
}

/** Of the process itself first, then of what it started (a ProxyCommand). */
function findOutside(process: ProcessKey, request: TunnelRequest, view: View): Connection | undefined {
  const queue = [process]
  for (let i = 0; i < queue.length && i < limits.followedDescendants; i++) {
    const key = queue[i] ?? process
    for (const connection of view.connectionsOf(key))
      if (isOutbound(connection, view) && isCandidate(connection, request)) return connection
    queue.push(...view.childrenOf(key))
  }
  return undefined
}
