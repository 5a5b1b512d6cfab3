/**
 * Findings on one identity of a host, joined in whatever order they come. An incident begins with the first finding that
 * wakes a person, and takes along what was noted before.
 */
import type { Finding } from "../domain/finding.js"
import { accountOf } from "../domain/identity.js"
import type { Microseconds } from "../domain/identity.js"
import type { Incident } from "../domain/incident.js"
import { Portions } from "../domain/portions.js"
import { isGraver } from "../domain/severity.js"
import type { View } from "../domain/view.js"
import { identityOf } from "./identity-of.js"
import { describe } from "./story.js"
import type { Story, TimelineEvent } from "./story.js"
import { incidentThresholds } from "./thresholds.js"

const limits = incidentThresholds

interface Group extends Story {
  /** Who answers for it. */
  readonly account: string
  /** The latest version of each finding, in the order in which they joined. */
  readonly findings: Map<string, Finding>
  readonly timeline: TimelineEvent[]
  lastJoinUs: Microseconds
  /** How many of its findings have not closed. */
  open: number
  /** What joined since the last version cannot wait. */
  isUrgent: boolean
  lastVersion: Incident | undefined
  lastSentUs: Microseconds
}

export class IncidentTracker {
  /** By identity. */
  readonly #groups = new Map<string, Group>()
  /** Who has how many of them, the longest untouched first. */
  readonly #portions = new Portions<string>()
  #evicted = 0
  /** Large ones that have grown since their last version, the longest so first. */
  readonly #waiting = new Set<Group>()

  /** Identities that were forgotten for want of room, so far. */
  get evicted(): number {
    return this.#evicted
  }

  advance(findings: readonly Finding[], view: View, nowUs: Microseconds): readonly Incident[] {
    const touched = new Set<Group>()
    for (const finding of findings) {
      const group = this.#groupOf(finding, view)
      if (group === undefined) continue
      join(group, finding, nowUs)
      touched.add(group)
    }
    for (const group of touched) {
      this.#waiting.delete(group)
      // What wakes nobody is no incident yet.
      if (group.isUrgent || group.lastVersion !== undefined) this.#waiting.add(group)
    }
    return this.#publish(nowUs)
  }

  #publish(nowUs: Microseconds): readonly Incident[] {
    const published: Incident[] = []
    for (const group of this.#waiting) {
      if (!group.isUrgent && nowUs < dueUs(group)) continue
      this.#waiting.delete(group)
      published.push(...publish(group, nowUs))
    }
    return published
  }

  /** None for what policy has answered or what is only for the record, unless it is part of an incident already. */
  #groupOf(finding: Finding, view: View): Group | undefined {
    const identity = identityOf(finding, view)
    const known = this.#groups.get(identity.key)
    const isMember = known?.findings.has(finding.id) === true
    if (!isMember && (!isOfInterest(finding) || finding.status === "closed")) return undefined
    const isFull = known !== undefined && !isMember && known.findings.size >= limits.maxFindings
    const isPast = known !== undefined && !isMember && finding.firstSeenUs > known.lastJoinUs + limits.joinUs
    const account = known?.account ?? accountOf(finding.process)
    const group = known === undefined || isFull || isPast ? newGroup(identity.text, account, finding, view) : known
    this.#groups.set(identity.key, group)
    this.#portions.add(group.account, identity.key)
    if (this.#groups.size > limits.remembered) this.#evictOne()
    return group
  }

  /** Of the account that has most. What has not been told of it yet still is. */
  #evictOne(): void {
    const account = this.#portions.largest() ?? ""
    for (const key of this.#portions.keys(account)) {
      this.#groups.delete(key)
      this.#portions.delete(account, key)
      this.#evicted += 1
      return
    }
  }
}

function newGroup(identity: string, account: string, first: Finding, view: View): Group {
  const { hostId, hostName } = view.host
  return {
    identity,
    account,
    host: { id: hostId, name: hostName },
    first: first.id,
    findings: new Map(),
    timeline: [],
    lastJoinUs: first.firstSeenUs,
    open: 0,
    isUrgent: false,
    lastVersion: undefined,
    lastSentUs: 0,
  }
}

function isOfInterest({ status, severity }: Finding): boolean {
  return status !== "expected" && status !== "suppressed" && status !== "proof" && severity !== "info"
}

function join(group: Group, finding: Finding, nowUs: Microseconds): void {
  const before = group.findings.get(finding.id)
  group.findings.set(finding.id, finding)
  if (before !== undefined && before.status !== "closed") group.open -= 1
  if (finding.status !== "closed") group.open += 1
  const opens = group.lastVersion?.status === "closed" && group.open > 0
  const closes = group.open === 0
  const isRuled = before !== undefined && isOfInterest(before) !== isOfInterest(finding)
  if (opens || closes || isRuled || isGraver(finding.severity, group.lastVersion?.severity ?? "low"))
    group.isUrgent = true
  const text = eventText(before, finding)
  if (text !== undefined) {
    const place = group.timeline.findLastIndex(({ atUs }) => atUs <= finding.detectedAtUs) + 1
    group.timeline.splice(place, 0, { atUs: finding.detectedAtUs, finding: finding.id, text })
    // The beginning of a story says more than its middle.
    if (group.timeline.length > limits.maxTimeline) group.timeline.splice(limits.maxTimeline / 2, 1)
  }
  if (!before) group.lastJoinUs = Math.max(group.lastJoinUs, nowUs)
}

function eventText(before: Finding | undefined, finding: Finding): string | undefined {
  if (before === undefined) return finding.summary
  if (before.status !== finding.status && finding.status !== "updated") return `${finding.status}: ${finding.summary}`
  if (isGraver(finding.severity, before.severity)) return `now ${finding.severity}: ${finding.summary}`
  return undefined
}

/** A version names every finding of the incident: the more there are, the longer one waits for company. */
function dueUs({ findings, lastSentUs }: Group): Microseconds {
  return lastSentUs + Math.max(0, findings.size - limits.promptFindings) * limits.waitPerFindingUs
}

function publish(group: Group, nowUs: Microseconds): readonly Incident[] {
  group.isUrgent = false
  const next = describe(group)
  if (next === undefined) return []
  const { lastVersion } = group
  const isSame =
    lastVersion !== undefined &&
    lastVersion.findings.length === next.findings.length &&
    lastVersion.severity === next.severity &&
    lastVersion.status === next.status &&
    lastVersion.timeline.length === next.timeline.length
  if (isSame && nowUs < group.lastSentUs + limits.counterRepeatUs) return []
  const incident = { ...next, version: (lastVersion?.version ?? 0) + 1 }
  group.lastVersion = incident
  group.lastSentUs = nowUs
  return [incident]
}
