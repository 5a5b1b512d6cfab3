/**
 * From claims to findings of one host: one finding per subject, in versions. A version is published when something changed
 * that a person would care about; what is approved is recorded as expected and never silent.
 */
import { findingClasses } from "../domain/finding-classes.js"
import { accountOf } from "../domain/identity.js"
import { KeyedSets } from "../domain/keyed-sets.js"
import { Portions } from "../domain/portions.js"
import type { Claim } from "../domain/detector.js"
import type { Finding } from "../domain/finding.js"
import type { Evicted } from "../domain/evicted.js"
import type { HostFacts, Microseconds } from "../domain/identity.js"
import type { View } from "../domain/view.js"
import type { Policy } from "../policy/policy.js"
import { Admission } from "./admission.js"
import { compose } from "./compose.js"
import { snapshotOf } from "./subject-snapshot.js"
import type { SubjectSnapshot } from "./subject-snapshot.js"
import { findingThresholds } from "./thresholds.js"
import { nameId } from "./uuid.js"
import { difference } from "./versions.js"
import type { UnversionedFinding } from "./versions.js"

const limits = findingThresholds

interface TrackedFinding {
  readonly id: string
  /** Who answers for it. */
  readonly account: string
  claim: Claim
  snapshot: SubjectSnapshot
  firstSeenUs: Microseconds
  /** The last version that was published. */
  lastVersion: Finding | undefined
}

export class FindingTracker {
  readonly #policy: Policy
  readonly #earlierVersions: ReadonlyMap<string, number>
  /** Last version of each finding that was forgotten, the first forgotten first. */
  readonly #forgottenVersions = new Map<string, number>()
  readonly #findings = new Map<string, TrackedFinding>()
  readonly #ids = new Map<string, string>()
  /** When findings ended, in that order. */
  readonly #endedUs = new Map<string, Microseconds>()
  /** Ids by socket and by process, alone and with the class, to find what supports what. */
  readonly #bySubject = new KeyedSets<string, string>()
  /** Findings whose counters moved since the last version. */
  readonly #withMovedCounters = new Set<string>()
  /** Findings with a version less than `counterRepeatUs` ago, in the order of these versions. */
  readonly #fresh = new Map<string, Microseconds>()
  /** Who has how many of them, and which of these have ended. */
  readonly #portions = new Portions<string>()
  readonly #endedOf = new Portions<string>()
  readonly #admission = new Admission()
  #evicted = 0

  /** `earlier` gives the last version of findings that a run before this one published: theirs go on from there. */
  constructor(policy: Policy, earlier: ReadonlyMap<string, number> = new Map()) {
    this.#policy = policy
    this.#earlierVersions = earlier
  }

  /** What was given up for want of room, or began late for want of time, so far. */
  get evicted(): Partial<Evicted> {
    return { finding: this.#evicted, heldFinding: this.#admission.heldBack }
  }

  advance(claims: readonly Claim[], view: View, nowUs: Microseconds): readonly Finding[] {
    const versions: Finding[] = []
    const touched = new Set<string>()
    for (const claim of claims) {
      const tracked = this.#absorb(claim, view)
      this.#begin(tracked, view, nowUs, versions)
      touched.add(tracked.id)
      for (const id of this.#neighboursOf(tracked)) touched.add(id)
    }
    for (const id of touched) this.#review(id, view, nowUs, versions)
    for (const id of this.#admission.due(nowUs)) {
      const tracked = this.#findings.get(id)
      if (tracked) this.#begin(tracked, view, nowUs, versions)
      this.#review(id, view, nowUs, versions)
    }
    for (const [id, versionUs] of this.#fresh) {
      if (nowUs < versionUs + limits.counterRepeatUs) break
      this.#fresh.delete(id)
      if (this.#withMovedCounters.has(id)) this.#review(id, view, nowUs, versions)
    }
    this.#expire(nowUs)
    return versions
  }

  #absorb(claim: Claim, view: View): TrackedFinding {
    const id = this.#idOf(claim, view.host)
    const before = this.#findings.get(id)
    if (before) for (const key of keysOf(before.claim)) this.#bySubject.delete(key, id)
    const tracked: TrackedFinding = before ?? newFinding(id, claim, view)
    tracked.snapshot = snapshotOf(claim, view, tracked.snapshot)
    tracked.claim = claim
    tracked.firstSeenUs = Math.min(tracked.firstSeenUs, claim.firstSeenUs)
    this.#findings.set(id, tracked)
    for (const key of keysOf(claim)) this.#bySubject.add(key, id)
    if (before === undefined) this.#portions.add(tracked.account, id)
    this.#endedUs.delete(id)
    this.#endedOf.delete(tracked.account, id)
    if (claim.status === "ended") {
      this.#endedUs.set(id, view.nowUs)
      this.#endedOf.add(tracked.account, id)
    }
    return tracked
  }

  /** Ids are hashes: of a claim that comes with every batch it is made once. */
  #idOf(claim: Claim, host: HostFacts): string {
    const name = `${host.bootId} ${claim.detector} ${claim.class} ${claim.subject}`
    const known = this.#ids.get(name)
    if (known !== undefined) return known
    if (this.#ids.size >= limits.remembered) this.#ids.clear()
    const id = findingId(host, claim)
    this.#ids.set(name, id)
    return id
  }

  /** What began and ended within one batch, or while it was held back, has a version for both: the end alone is no alert. */
  #begin(tracked: TrackedFinding, view: View, nowUs: Microseconds, versions: Finding[]): void {
    if (tracked.claim.status === "ended" && tracked.lastVersion === undefined)
      this.#publish(tracked, "active", view, nowUs, versions)
  }

  #review(id: string, view: View, nowUs: Microseconds, versions: Finding[]): void {
    const tracked = this.#findings.get(id)
    if (tracked) this.#publish(tracked, tracked.claim.status, view, nowUs, versions)
  }

  #publish(
    tracked: TrackedFinding,
    status: Claim["status"],
    view: View,
    nowUs: Microseconds,
    versions: Finding[],
  ): void {
    const { lastVersion } = tracked
    const next = compose(
      { ...tracked, claim: { ...tracked.claim, status }, peers: this.#peersOf(tracked) },
      this.#policy,
      view.host,
    )
    const change = lastVersion === undefined ? "material" : difference(lastVersion, next)
    this.#withMovedCounters.delete(tracked.id)
    if (change === "none") return
    if (change === "counters" && !this.#isDue(tracked.id, nowUs)) {
      this.#withMovedCounters.add(tracked.id)
      return
    }
    if (lastVersion === undefined && !this.#isAdmitted(tracked, next, nowUs)) return
    const earlier =
      lastVersion?.version ?? this.#forgottenVersions.get(tracked.id) ?? this.#earlierVersions.get(tracked.id) ?? 0
    const goesOn = earlier > 0 && next.status === "open"
    const finding: Finding = {
      ...next,
      status: goesOn ? "updated" : next.status,
      version: earlier + 1,
      detectedAtUs: nowUs,
    }
    tracked.lastVersion = finding
    this.#fresh.delete(finding.id)
    this.#fresh.set(finding.id, nowUs)
    versions.push(finding)
  }

  /** What the analyzer asked for itself always is. */
  #isAdmitted({ id, account }: TrackedFinding, { status, severity }: UnversionedFinding, nowUs: Microseconds): boolean {
    return status === "proof" || this.#admission.admit(id, account, severity, nowUs)
  }

  #isDue(id: string, nowUs: Microseconds): boolean {
    return nowUs >= (this.#findings.get(id)?.lastVersion?.detectedAtUs ?? 0) + limits.counterRepeatUs
  }

  #peersOf(tracked: TrackedFinding): readonly Claim[] {
    return this.#neighboursOf(tracked).flatMap((id) => this.#findings.get(id)?.claim ?? [])
  }

  /** Findings of other classes on the same socket or process: the first ones, where one process has very many. */
  #neighboursOf({ claim }: TrackedFinding): readonly string[] {
    const shared = placesOf(claim).filter((place) => this.#bySubject.count(place) > 1)
    const ids = new Set<string>()
    for (const place of shared)
      for (const other of findingClasses) {
        if (other === claim.class) continue
        let taken = 0
        for (const id of this.#bySubject.values(`${other} ${place}`)) {
          if (taken >= limits.neighbours) break
          ids.add(id)
          taken += 1
        }
      }
    return [...ids]
  }

  /** What ended long ago goes; when there are too many, from who has most: what has ended first, then the oldest. */
  #expire(nowUs: Microseconds): void {
    for (const [id, endedUs] of this.#endedUs) {
      if (endedUs + limits.endedUs > nowUs) break
      this.#forget(id)
    }
    while (this.#findings.size > limits.remembered) {
      const account = this.#portions.largest() ?? ""
      const [ended] = this.#endedOf.keys(account)
      const [oldest] = this.#portions.keys(account)
      const id = ended ?? oldest
      if (id === undefined) return
      this.#forget(id)
      this.#evicted += 1
    }
  }

  #forget(id: string): void {
    const tracked = this.#findings.get(id)
    if (tracked) {
      for (const key of keysOf(tracked.claim)) this.#bySubject.delete(key, id)
      this.#portions.delete(tracked.account, id)
      this.#endedOf.delete(tracked.account, id)
    }
    this.#findings.delete(id)
    this.#endedUs.delete(id)
    this.#withMovedCounters.delete(id)
    this.#fresh.delete(id)
    this.#admission.forget(id)
    // A consumer tells repeats by id and version: a published number must not come again.
    if (tracked?.lastVersion !== undefined) this.#forgottenVersions.set(id, tracked.lastVersion.version)
    const oldest = this.#forgottenVersions.keys().next()
    if (this.#forgottenVersions.size > limits.forgotten && oldest.done !== true)
      this.#forgottenVersions.delete(oldest.value)
  }
}

function newFinding(id: string, claim: Claim, view: View): TrackedFinding {
  const snapshot = snapshotOf(claim, view, undefined)
  const account = accountOf(snapshot.process)
  return { id, account, claim, snapshot, firstSeenUs: claim.firstSeenUs, lastVersion: undefined }
}

function findingId({ hostId, bootId }: HostFacts, { detector, class: claimed, subject }: Claim): string {
  return nameId("finding", hostId, bootId, detector, claimed, subject)
}

function keysOf(claim: Claim): readonly string[] {
  return placesOf(claim).flatMap((place) => [place, `${claim.class} ${place}`])
}

function placesOf({ cookie, process }: Claim): readonly string[] {
  const places: string[] = []
  if (cookie !== "") places.push(`socket ${cookie}`)
  if (process !== undefined) places.push(`process ${process}`)
  return places
}
