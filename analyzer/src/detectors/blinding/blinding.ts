/**
 * Blinding: a process does so much of one thing that a collector cannot tell it apart any more, and what others do goes
 * unseen with it. One claim for each lineage that floods, whatever the kinds of its excess.
 */
import type { Claim, Detector } from "../../domain/detector.js"
import type { Microseconds, ProcessKey } from "../../domain/identity.js"
import type { Lost } from "../../domain/lost.js"
import type { Overload, OverloadKind } from "../../domain/overload.js"
import type { View } from "../../domain/view.js"
import { rootOf } from "../../text/program-root.js"
import { claimOf, detectorName, type Flood } from "./evidence.js"
import { addExcess, atRest, gradeOf, gravest, type Excess, type Grade } from "./judge.js"
import { blindingThresholds as limits } from "./thresholds.js"

interface TrackedFlood extends Flood {
  readonly identity: string
  process: ProcessKey | undefined
  readonly excess: Map<OverloadKind, Excess>
  readonly processes: Set<ProcessKey>
  lost: number
  evicted: number
  firstUs: Microseconds
  lastUs: Microseconds
  grade: Grade
}

export function blinding(): Detector {
  const floods = new Floods()
  return {
    name: detectorName,
    observe(change, view) {
      if (change.kind === "overload") return floods.add(change.overload, view)
      return change.kind === "lost" ? floods.lose(unseenOf(change.lost), change.evicted, view) : []
    },
    tick: (nowUs, view) => floods.advance(nowUs, view),
  }
}

class Floods {
  /** By lineage, the longest silent first. */
  readonly #open = new Map<string, TrackedFlood>()
  /** Those that are over, in the order of their end: whether it repeats is known for a while. */
  readonly #over = new Map<string, TrackedFlood>()
  /** Running totals by instance, process and kind, the longest unchanged first. */
  readonly #totals = new Map<string, { readonly count: number; readonly lastUs: Microseconds }>()
  readonly #changed = new Set<TrackedFlood>()

  add(overload: Overload, view: View): readonly Claim[] {
    const amount = this.#amountOf(overload, view)
    if (amount <= 0) return []
    const flood = this.#floodOf(overload, view)
    flood.excess.set(overload.kind, addExcess(overload.kind, flood.excess.get(overload.kind), { ...overload, amount }))
    flood.firstUs = Math.min(flood.firstUs, overload.firstUs)
    flood.lastUs = Math.max(flood.lastUs, overload.lastUs)
    this.#over.delete(flood.subject)
    this.#open.delete(flood.subject)
    this.#open.set(flood.subject, flood)
    return this.#grade(flood, view)
  }

  /** What was lost counts with every flood that has just had excess. */
  lose(lost: number, evicted: number, view: View): readonly Claim[] {
    return [...this.#open.values()].flatMap((flood) => {
      if (flood.lastUs + limits.windowUs < view.nowUs) return []
      flood.lost += lost
      flood.evicted += evicted
      return this.#grade(flood, view)
    })
  }

  advance(nowUs: Microseconds, view: View): readonly Claim[] {
    const claims = [...this.#changed].flatMap((flood) => claimsOf(flood, "active", view))
    this.#changed.clear()
    for (const flood of this.#open.values()) {
      if (flood.lastUs + limits.quietUs > nowUs) break
      this.#open.delete(flood.subject)
      this.#over.set(flood.subject, flood)
      claims.push(...claimsOf(flood, "ended", view))
      rest(flood)
    }
    for (const { subject, lastUs } of this.#over.values()) {
      if (lastUs + limits.repeatsWithinUs > nowUs) break
      this.#over.delete(subject)
    }
    return claims
  }

  /** What is new of a running total. One that is smaller than before, and later, began anew: its collector did, or forgot it. */
  #amountOf({ process, kind, count, lastUs }: Overload, view: View): number {
    const key = `${view.host.instance} ${process ?? ""} ${kind}`
    const before = this.#totals.get(key)
    if (before !== undefined && lastUs < before.lastUs) return 0
    this.#totals.delete(key)
    this.#totals.set(key, { count, lastUs })
    const oldest = this.#totals.keys().next()
    if (this.#totals.size > limits.totals && oldest.done !== true) this.#totals.delete(oldest.value)
    return before === undefined || count < before.count ? count : count - before.count
  }

  /** Of the lineage; past the bounds, the latest one of the same user and container, or of anybody. */
  #floodOf({ process, firstUs, lastUs }: Overload, view: View): TrackedFlood {
    const { subject, identity } = lineageOf(process, view)
    const known = this.#open.get(subject) ?? this.#over.get(subject) ?? this.#overflow(identity)
    if (known !== undefined) return enlist(known, process, view)
    const flood: TrackedFlood = {
      subject,
      identity,
      process,
      excess: new Map(),
      processes: new Set(),
      lost: 0,
      evicted: 0,
      firstUs,
      lastUs,
      grade: "none",
    }
    return enlist(flood, process, view)
  }

  #overflow(identity: string): TrackedFlood | undefined {
    const all = [...this.#over.values(), ...this.#open.values()]
    const own = all.filter((flood) => flood.identity === identity)
    if (own.length >= limits.floodsOfIdentity) return own.at(-1)
    return all.length >= limits.floods ? all.at(-1) : undefined
  }

  /** A graver flood is told at once, all else with the next tick. */
  #grade(flood: TrackedFlood, view: View): readonly Claim[] {
    const lost = flood.lost + flood.evicted
    const grade = gravest([flood.grade, ...[...flood.excess].map(([kind, one]) => gradeOf(kind, one, lost))])
    if (grade === flood.grade) {
      this.#changed.add(flood)
      return []
    }
    flood.grade = grade
    return claimsOf(flood, "active", view)
  }
}

function unseenOf(lost: Lost): number {
  return limits.unseenKinds.reduce((sum, kind) => sum + lost[kind], 0)
}

function claimsOf(flood: TrackedFlood, status: Claim["status"], view: View): readonly Claim[] {
  return flood.grade === "none" ? [] : [claimOf(flood, flood.grade, status, view)]
}

/** It may begin again: then only how often it came counts from before. */
function rest(flood: TrackedFlood): void {
  for (const [kind, one] of flood.excess) flood.excess.set(kind, atRest(one))
  Object.assign(flood, { grade: "none", lost: 0, evicted: 0 } satisfies Partial<TrackedFlood>)
}

/** What is started from one root is one flood: a loop that starts a flooder again and again is one. */
function lineageOf(process: ProcessKey | undefined, view: View): { subject: string; identity: string } {
  const facts = process === undefined ? undefined : view.process(process)
  if (facts === undefined) return { subject: process ?? "", identity: "" }
  const { uid, containerId } = facts
  const root = rootOf(facts, view.ancestors(facts.key))
  return {
    subject: JSON.stringify([containerId, uid, root.key]),
    identity: JSON.stringify([containerId, uid]),
  }
}

/** The topmost process of those that flood is the one that is shown. */
function enlist(flood: TrackedFlood, process: ProcessKey | undefined, view: View): TrackedFlood {
  if (process === undefined || flood.processes.has(process)) return flood
  if (flood.processes.size < limits.processes) flood.processes.add(process)
  const isAbove = flood.process !== undefined && view.ancestors(flood.process).some(({ key }) => key === process)
  if (flood.process === undefined || isAbove) flood.process = process
  return flood
}
