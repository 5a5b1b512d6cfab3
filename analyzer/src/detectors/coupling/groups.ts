/** Edges of each group of processes as sums, and what of a group a batch has changed. */
import type { CouplingEdge } from "../../domain/coupling.js"
import { EdgeSums } from "./edge-sums.js"
import type { OutsideRole } from "./edge-sums.js"
import type { Judge, JudgedEdges } from "./judge.js"
import type { OutsideEnds } from "./outside-ends.js"
import { couplingThresholds } from "./thresholds.js"

/** Nothing is stronger, so that nothing further has to be looked at. */
const strongestScore = Math.max(...Object.values(couplingThresholds.verdicts).map(({ score }) => score))

interface Group {
  readonly all: EdgeSums
  /** By `insideOf`; what is pooled of many places has none. */
  readonly byInside: Map<string, EdgeSums>
  /** Edges that changed since the group was judged. */
  readonly changed: Set<CouplingEdge>
}

/** Bounded by the edges that the tracker keeps: it tells of each one that it lets go. */
export class Groups {
  readonly #ends: OutsideEnds
  readonly #judge: Judge
  readonly #groups = new Map<string, Group>()
  readonly #touched = new Set<string>()

  constructor(ends: OutsideEnds, judge: Judge) {
    this.#ends = ends
    this.#judge = judge
  }

  add(edge: CouplingEdge, role: OutsideRole): void {
    const name = poolOf(edge)
    const known = this.#groups.get(name)
    const group = known ?? { all: new EdgeSums(edge, role), byInside: new Map<string, EdgeSums>(), changed: new Set() }
    if (known !== undefined) known.all.add(edge, role)
    else this.#groups.set(name, group)
    group.changed.add(edge)
    this.#touched.add(name)
    const inside = insideOf(edge)
    if (inside === undefined) return
    const sums = group.byInside.get(inside)
    if (sums !== undefined) sums.add(edge, role)
    else group.byInside.set(inside, new EdgeSums(edge, role))
  }

  /** The same as to take away and add, where both are versions of one edge. */
  replace(previous: CouplingEdge, before: OutsideRole, edge: CouplingEdge, after: OutsideRole): void {
    const name = poolOf(edge)
    const group = this.#groups.get(name)
    if (group === undefined || name !== poolOf(previous)) {
      this.remove(previous, before)
      this.add(edge, after)
      return
    }
    group.all.replace(previous, before, edge, after)
    group.changed.delete(previous)
    group.changed.add(edge)
    this.#touched.add(name)
    const inside = insideOf(edge)
    if (inside !== undefined) group.byInside.get(inside)?.replace(previous, before, edge, after)
  }

  remove(edge: CouplingEdge, role: OutsideRole): void {
    const name = poolOf(edge)
    const group = this.#groups.get(name)
    if (group === undefined) return
    group.all.remove(edge, role)
    group.changed.delete(edge)
    this.#touched.add(name)
    const inside = insideOf(edge)
    const sums = inside === undefined ? undefined : group.byInside.get(inside)
    sums?.remove(edge, role)
    if (inside !== undefined && sums?.count === 0) group.byInside.delete(inside)
  }

  /** What changed since the last call, by `poolOf`, each with the strongest verdict on what changed in it. */
  *judge(): Generator<readonly [pool: string, best: JudgedEdges]> {
    for (const name of this.#touched) {
      const group = this.#groups.get(name)
      if (group === undefined) continue
      // What left is no news: a claim that has ended must not come again by it.
      const best = group.changed.size > 0 ? this.#strongest(group) : undefined
      group.changed.clear()
      if (group.all.count === 0) this.#groups.delete(name)
      if (best) yield [name, best]
    }
    this.#touched.clear()
  }

  /** Of what is judged as one: each changed edge alone, all to one B, all of the group (several channels at once). */
  #strongest({ all, byInside, changed }: Group): JudgedEdges | undefined {
    let best: JudgedEdges | undefined
    const consider = (edges: EdgeSums, places: number) => {
      const above = best?.verdict.score ?? 0
      if (above >= strongestScore) return
      const verdict = this.#judge(edges, above)
      if (verdict !== undefined) best = { verdict, edges, places }
    }
    const insides = new Set<EdgeSums>()
    for (const edge of changed) {
      const sums = byInside.get(insideOf(edge) ?? "")
      const isAlone = sums?.count === 1 && sums.newest === edge
      // Most edges of a scan have nothing to judge: nothing was written to what was dialled.
      if (edge.forward.n > 0 || edge.openForward.y > 0)
        consider(isAlone ? sums : new EdgeSums(edge, this.#ends.roleOf(edge)), 1)
      if (sums !== undefined && sums.count > 1) insides.add(sums)
    }
    for (const sums of insides) consider(sums, 1)
    if (all.count > 1) consider(all, byInside.size + (all.hasMany ? 1 : 0))
    return best
  }
}

/**
 * What is judged together: who is joined to a group by nothing but the workload is a claim of his own, so that whoever dials
 * inside beside a tunnel is not taken for it.
 */
function poolOf({ group, joinedBy }: CouplingEdge): string {
  return joinedBy === "workload" ? `${group} workload` : group
}

/** What is the same place inside, whoever A is. Many places are not one, even where two A reach many. */
function insideOf({ kind, bRemote, bPath }: CouplingEdge): string | undefined {
  return kind === "many" ? undefined : `${kind} ${bRemote.address} ${bRemote.port} ${bPath}`
}
