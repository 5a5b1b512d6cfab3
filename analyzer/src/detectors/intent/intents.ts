import type { Microseconds, ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { programPath } from "../../text/program-name.js"
import { rootOf } from "../../text/program-root.js"
import type { Intent, TunnelRequest } from "./request.js"
import { intentThresholds as limits } from "./thresholds.js"

/** How many different requests one user may still have that are told apart. */
interface Allowance {
  left: number
  refilledUs: Microseconds
  intents: number
}

/** Intents by who asks for what, each until it was quiet for long enough. */
export class Intents {
  readonly #bySubject = new Map<string, Intent>()
  readonly #allowances = new Map<string, Allowance>()
  /** Those of which nothing runs and since when, in that order. */
  readonly #quiet = new Map<Intent, Microseconds>()

  /** The one that this request of this process belongs to. */
  of(facts: ProcessFacts, request: TunnelRequest, view: View): { readonly intent: Intent; readonly isNew: boolean } {
    const own = identityOf(facts)
    const subject = subjectOf(own, facts, request, view)
    const known = this.#bySubject.get(subject)
    if (known !== undefined) return { intent: known, isNew: false }
    const isKept = this.#allowances.has(own) || this.#allowances.size < limits.identities
    const identity = isKept ? own : ""
    const allowance = this.#allowanceOf(identity, view.nowUs)
    const isJoined = !isKept || allowance.left < 1
    const joined = isJoined ? this.#bySubject.get(joinedSubject(identity)) : undefined
    if (joined !== undefined) return { intent: joined, isNew: false }
    if (!isJoined) allowance.left -= 1
    allowance.intents += 1
    const intent = newIntent(isJoined ? joinedSubject(identity) : subject, identity, isJoined, facts, request, view)
    this.#bySubject.set(intent.subject, intent)
    return { intent, isNew: true }
  }

  /** To be called when a try began or ended. */
  touch(intent: Intent, nowUs: Microseconds): void {
    intent.lastRunUs = nowUs
    this.#quiet.delete(intent)
    if (intent.running.size === 0) this.#quiet.set(intent, nowUs)
  }

  /** Those that have been quiet for long enough; they are forgotten. */
  takeQuiet(nowUs: Microseconds): readonly Intent[] {
    const over: Intent[] = []
    for (const [intent, sinceUs] of this.#quiet) {
      if (sinceUs + limits.quietUs > nowUs) break
      over.push(intent)
      this.#forget(intent)
    }
    return over
  }

  #allowanceOf(identity: string, nowUs: Microseconds): Allowance {
    const known = this.#allowances.get(identity)
    const allowance = known ?? { left: limits.requests, refilledUs: nowUs, intents: 0 }
    this.#allowances.set(identity, allowance)
    const refills = Math.floor((nowUs - allowance.refilledUs) / limits.requestRefillUs)
    allowance.left = Math.min(limits.requests, allowance.left + refills)
    allowance.refilledUs += refills * limits.requestRefillUs
    return allowance
  }

  /** The allowance is full again by the time in which nothing of it ran. */
  #forget(intent: Intent): void {
    this.#quiet.delete(intent)
    this.#bySubject.delete(intent.subject)
    const allowance = this.#allowances.get(intent.identity)
    if (allowance === undefined) return
    allowance.intents -= 1
    if (allowance.intents === 0) this.#allowances.delete(intent.identity)
  }
}

/** User and container: what a process cannot choose. */
function identityOf({ containerId, uid }: ProcessFacts): string {
  return JSON.stringify([containerId, uid])
}

const joinedSubject = (identity: string) => `many ${identity}`

/** What stays the same from try to try, and what policy tells apart: programs by path, not processes. */
function subjectOf(identity: string, facts: ProcessFacts, request: TunnelRequest, view: View): string {
  const root = rootOf(facts, view.ancestors(facts.key))
  const words = [request.destination, ...request.forwards.toSorted()].join("\0").slice(0, limits.subjectCharacters)
  return JSON.stringify([identity, programPath(root.exe), programPath(facts.exe), request.tool, request.kind, words])
}

function newIntent(
  subject: string,
  identity: string,
  isJoined: boolean,
  facts: ProcessFacts,
  request: TunnelRequest,
  view: View,
): Intent {
  return {
    subject,
    identity,
    isJoined,
    request,
    firstSeenUs: Math.min(facts.execUs, view.nowUs),
    lastTryUs: view.nowUs,
    lastRunUs: view.nowUs,
    lookedUs: 0,
    tries: 1,
    isClosed: false,
    running: new Set(),
    shown: facts,
    dialled: 0,
    connected: 0,
    outside: undefined,
    examples: [request],
    shownPlaces: new Set(),
  }
}
