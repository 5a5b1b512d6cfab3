/**
 * From claims to findings of one host: one finding per subject, in versions. A version is given out when something changed
 * that a person would care about; what is approved is recorded as expected and never silent.
 */
import { KeyedSets } from "../domain/keyed-sets.js"
import type { Claim } from "../domain/detector.js"
import type { Finding } from "../domain/finding.js"
import type { HostFacts, Microseconds } from "../domain/identity.js"
import type { View } from "../domain/view.js"
import type { Policy } from "../policy/policy.js"
import { draft } from "./draft.js"
import { portrait } from "./subject-snapshot.js"
import type { SubjectSnapshot } from "./subject-snapshot.js"
import { findingThresholds } from "./thresholds.js"
import { nameId } from "./uuid.js"
import { difference } from "./versions.js"

const limits = findingThresholds

interface Held {
  readonly id: string
  claim: Claim
  portrait: SubjectSnapshot
  firstSeenUs: Microseconds
  /** The last version given out. */
  lastVersion: Finding | undefined
}

export class FindingTracker {
  readonly #policy: Policy
  readonly #earlier: ReadonlyMap<string, number>
  /** Last version of each finding that was forgotten, the first forgotten first. */
  readonly #forgotten = new Map<string, number>()
  readonly #held = new Map<string, Held>()
  /** In the order of their ending. */
  readonly #ended = new Map<string, Microseconds>()
  /** Ids by socket and by process, to find what supports what. */
  readonly #bySubject = new KeyedSets<string, string>()
  /** Findings whose counters moved since the last version. */
  readonly #moved = new Set<string>()

  /** `earlier` gives the last version of findings that a run before this one gave out: theirs go on from there. */
  constructor(policy: Policy, earlier: ReadonlyMap<string, number> = new Map()) {
    this.#policy = policy
    this.#earlier = earlier
  }

  advance(claims: readonly Claim[], view: View, nowUs: Microseconds): readonly Finding[] {
    const given: Finding[] = []
    const touched = new Set<string>()
    for (const claim of claims) {
      const held = this.#take(claim, view)
      // What began and ended within one batch is told as both: the end alone is no alert.
      if (claim.status === "ended" && held.lastVersion === undefined) this.#say(held, "active", view, nowUs, given)
      touched.add(held.id)
      for (const id of this.#neighboursOf(held)) if (this.#held.get(id)?.claim.class !== claim.class) touched.add(id)
    }
    for (const id of touched) this.#reconsider(id, view, nowUs, given)
    for (const id of [...this.#moved]) if (this.#isDue(id, nowUs)) this.#reconsider(id, view, nowUs, given)
    this.#expire(nowUs)
    return given
  }

  #take(claim: Claim, view: View): Held {
    const id = findingId(view.host, claim)
    const before = this.#held.get(id)
    if (before) for (const key of keysOf(before.claim)) this.#bySubject.delete(key, id)
    const held: Held = before ?? {
      id,
      claim,
      portrait: portrait(claim, view, undefined),
      firstSeenUs: claim.firstSeenUs,
      lastVersion: undefined,
    }
    held.portrait = portrait(claim, view, held.portrait)
    held.claim = claim
    held.firstSeenUs = Math.min(held.firstSeenUs, claim.firstSeenUs)
    this.#held.set(id, held)
    for (const key of keysOf(claim)) this.#bySubject.add(key, id)
    this.#ended.delete(id)
    if (claim.status === "ended") this.#ended.set(id, view.nowUs)
    return held
  }

  #reconsider(id: string, view: View, nowUs: Microseconds, given: Finding[]): void {
    const held = this.#held.get(id)
    if (held) this.#say(held, held.claim.status, view, nowUs, given)
  }

  #say(held: Held, status: Claim["status"], view: View, nowUs: Microseconds, given: Finding[]): void {
    const { lastVersion } = held
    const next = draft(
      { ...held, claim: { ...held.claim, status }, peers: this.#peersOf(held) },
      this.#policy,
      view.host,
    )
    const change = lastVersion === undefined ? "material" : difference(lastVersion, next)
    this.#moved.delete(held.id)
    if (change === "none") return
    if (change === "counters" && !this.#isDue(held.id, nowUs)) {
      this.#moved.add(held.id)
      return
    }
    const earlier = lastVersion?.version ?? this.#forgotten.get(held.id) ?? this.#earlier.get(held.id) ?? 0
    const goesOn = earlier > 0 && next.status === "open"
    const finding: Finding = {
      ...next,
      status: goesOn ? "updated" : next.status,
      version: earlier + 1,
      detectedAtUs: nowUs,
    }
    held.lastVersion = finding
    given.push(finding)
  }

  #isDue(id: string, nowUs: Microseconds): boolean {
    return nowUs >= (this.#held.get(id)?.lastVersion?.detectedAtUs ?? 0) + limits.counterRepeatUs
  }

  #peersOf(held: Held): readonly Claim[] {
    return [...this.#neighboursOf(held)].flatMap((id) => this.#held.get(id)?.claim ?? [])
  }

  /** Findings on the same socket or process. */
  #neighboursOf({ id, claim }: Held): ReadonlySet<string> {
    const ids = new Set(keysOf(claim).flatMap((key) => this.#bySubject.get(key)))
    ids.delete(id)
    return ids
  }

  #expire(nowUs: Microseconds): void {
    for (const [id, endedUs] of this.#ended) {
      if (this.#held.size <= limits.remembered && endedUs + limits.endedUs > nowUs) break
      this.#forget(id)
    }
    for (const id of this.#held.keys()) {
      if (this.#held.size <= limits.remembered) return
      this.#forget(id)
    }
  }

  #forget(id: string): void {
    const held = this.#held.get(id)
    if (held) for (const key of keysOf(held.claim)) this.#bySubject.delete(key, id)
    this.#held.delete(id)
    this.#ended.delete(id)
    this.#moved.delete(id)
    // A consumer tells repeats by id and version: a number that was given out must not come again.
    if (held?.lastVersion !== undefined) this.#forgotten.set(id, held.lastVersion.version)
    const oldest = this.#forgotten.keys().next()
    if (this.#forgotten.size > limits.forgotten && oldest.done !== true) this.#forgotten.delete(oldest.value)
  }
}

function findingId({ hostId, bootId }: HostFacts, { detector, class: claimed, subject }: Claim): string {
  return nameId("finding", hostId, bootId, detector, claimed, subject)
}

function keysOf({ cookie, process }: Claim): readonly string[] {
  const keys: string[] = []
  if (cookie !== "") keys.push(`socket ${cookie}`)
  if (process !== undefined) keys.push(`process ${process}`)
  return keys
}
