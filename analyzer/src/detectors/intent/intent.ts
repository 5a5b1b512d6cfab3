/**
 * Intent: a process was asked, by its arguments or a file that it reads, for a way back in. The same words in a process and
 * in what it starts for the purpose (`ssh -f`, autossh and its ssh) are one try, and tries of one user for the same are one
 * claim that counts: a loop, a service that is started again, a job of each minute.
 */
import type { Connection } from "../../domain/connection.js"
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { ProcessFacts, ProcessKey } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"
import { Intents } from "./intents.js"
import { requestOf, requestOfRenamed } from "./judge.js"
import { findOutside, isCandidate, takeConnection } from "./outside.js"
import type { Intent, TunnelRequest, Try } from "./request.js"
import { intentThresholds as limits } from "./thresholds.js"

interface State {
  readonly intents: Intents
  /** Running processes that were asked. */
  readonly tryOf: Map<ProcessKey, Try>
  /** Told with the next tick. */
  readonly changed: Set<Intent>
}

/** The end of an only try is told at once; the same words that come again within the quiet time open it again, to stay. */
const isOver = (intent: Intent) => intent.tries < limits.retried && !intent.isJoined && intent.running.size === 0

export function intent(): Detector {
  const state: State = { intents: new Intents(), tryOf: new Map(), changed: new Set() }
  return {
    name: detectorName,
    observe(change, view) {
      if (change.kind === "process") return onProcess(change.facts, change.previous, view, state)
      if (change.kind === "connection") return onConnection(change, view, state)
      if (change.kind === "exit") leave(change.process, view, state)
      return []
    },
    tick(nowUs, view) {
      const claims = [...state.changed].flatMap((one) => {
        if (one.isClosed) return []
        one.isClosed = isOver(one)
        return [claimOf(one, one.isClosed ? "ended" : "active", view)]
      })
      state.changed.clear()
      const quiet = state.intents.takeQuiet(nowUs).filter((one) => !one.isClosed)
      return [...claims, ...quiet.map((one) => claimOf(one, "ended", view))]
    },
  }
}

function onProcess(
  facts: ProcessFacts,
  previous: ProcessFacts | undefined,
  view: View,
  state: State,
): readonly Claim[] {
  const request = requestOf(facts, facts.parent === undefined ? undefined : view.process(facts.parent))
  const before = state.tryOf.get(facts.key)
  // Facts that are sent again do not change what a renamed client was found to ask for.
  if (request === undefined) {
    if (before && !isSameProgram(facts, previous)) leave(facts.key, view, state)
    return []
  }
  if (before && asksFor(before.request, request) && asksFor(request, before.request)) {
    // More of its command line may be known now.
    if (before.members.has(facts.key)) before.members.set(facts.key, facts)
    if (before.intent.shown.key === facts.key) before.intent.shown = facts
    return []
  }
  if (before) leave(facts.key, view, state)
  return join(facts, request, view, state)
}

function join(facts: ProcessFacts, request: TunnelRequest, view: View, state: State): readonly Claim[] {
  const above = facts.parent === undefined ? undefined : state.tryOf.get(facts.parent)
  if (above && asksFor(request, above.request)) {
    follow(facts, above, state)
    // What autossh starts for the first time is the same try; what it starts after that has ended is another one.
    if (above.hadChild && above.children === 0) countTry(above.intent, facts, request, view, state)
    above.hadChild = true
    above.children += 1
    return []
  }
  const found = state.intents.of(facts, request, view)
  const { intent } = found
  const made: Try = { request, intent, root: facts.key, members: new Map(), children: 0, hadChild: false }
  if (follow(facts, made, state)) intent.running.add(made)
  state.intents.touch(intent, view.nowUs)
  findOutside(intent, facts.key, request, view)
  if (!found.isNew) {
    countTry(intent, facts, request, view, state)
    return []
  }
  return [claimOf(intent, "active", view)]
}

/** False where too many are followed already. */
function follow(facts: ProcessFacts, found: Try, { tryOf }: State): boolean {
  if (tryOf.size >= limits.processes) return false
  found.members.set(facts.key, facts)
  tryOf.set(facts.key, found)
  return true
}

function countTry(intent: Intent, facts: ProcessFacts, request: TunnelRequest, view: View, state: State): void {
  intent.tries += 1
  intent.isClosed = false
  intent.lastTryUs = view.nowUs
  intent.request = request
  if (intent.isJoined && intent.examples.length < limits.examples) intent.examples.push(request)
  if (intent.outside === undefined || view.connection(intent.outside.cookie)?.closed !== undefined) intent.shown = facts
  state.changed.add(intent)
}

function leave(key: ProcessKey, view: View, state: State): void {
  const found = state.tryOf.get(key)
  if (!found) return
  const { intent, members } = found
  state.tryOf.delete(key)
  members.delete(key)
  if (key !== found.root) found.children -= 1
  if (members.size === 0) {
    intent.running.delete(found)
    state.changed.add(intent)
  }
  if (intent.shown.key === key) intent.shown = memberOf(intent) ?? intent.shown
  state.intents.touch(intent, view.nowUs)
}

/** Of the try that runs for the longest time. */
function memberOf({ running }: Intent): ProcessFacts | undefined {
  for (const { members } of running) for (const facts of members.values()) return facts
  return undefined
}

function onConnection(
  { connection, previous }: Extract<Change, { kind: "connection" }>,
  view: View,
  state: State,
): readonly Claim[] {
  const { process, closed, established, ssh } = connection
  const spokeSsh = ssh.localClient && previous?.ssh.localClient !== true
  if (process === undefined || (state.tryOf.size === 0 && !spokeSsh)) return []
  const isNews = process !== previous?.process || established !== previous.established || closed !== previous.closed
  if ((!isNews && !spokeSsh) || !isOutbound(connection, view)) return []
  const found = tryAbove(process, view, state)
  if (found) {
    // As it was when it was asked: it may run another program by now.
    const owner = found.members.get(process) ?? view.process(process)
    return isCandidate(connection, found.request, owner) ? connect(found, connection, previous, view, state) : []
  }
  const facts = spokeSsh ? view.process(process) : undefined
  const request = facts && requestOfRenamed(facts)
  return facts && request ? join(facts, request, view, state) : []
}

function connect(
  found: Try,
  connection: Connection,
  previous: Connection | undefined,
  view: View,
  state: State,
): readonly Claim[] {
  const { intent } = found
  const isFirst = intent.outside === undefined
  if (previous === undefined) intent.dialled += 1
  if (connection.established && previous?.established !== true) intent.connected += 1
  if (takeConnection(intent, connection, view)) {
    const owner = connection.process === undefined ? undefined : found.members.get(connection.process)
    const [root] = owner === undefined ? found.members.values() : []
    intent.shown = owner ?? root ?? intent.shown
  }
  if (!isFirst || intent.outside === undefined) {
    state.changed.add(intent)
    return []
  }
  state.changed.delete(intent)
  return [claimOf(intent, "active", view)]
}

/** A ProxyCommand connects in the name of the client that started it. */
function tryAbove(process: ProcessKey, view: View, { tryOf }: State): Try | undefined {
  const own = tryOf.get(process)
  if (own) return own
  for (const { key } of view.ancestors(process)) {
    const found = tryOf.get(key)
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
