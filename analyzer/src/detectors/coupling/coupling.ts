/**
 * Coupling: A opened to the outside, B opened or written inside by the same processes, the far side of A speaking first.
 * One claim per group of processes, however many channels and destinations the tunnel has. A group is judged once a batch,
 * by sums: the time that takes goes with what changed, and not with how much is known.
 */
import type { Connection } from "../../domain/connection.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { isControlSocket } from "../ssh-client/sockets.js"
import { isAutosshEcho } from "../ssh-client/use.js"
import { claimOf, detectorName } from "./evidence.js"
import { Groups } from "./groups.js"
import { judge } from "./judge.js"
import type { Judge } from "./judge.js"
import { OutsideEnds } from "./outside-ends.js"
import type { RoleChange } from "./outside-ends.js"
import { StandingClaims } from "./standing-claims.js"

/** A benchmark weighs otherwise; all else goes by the weights as they are. */
export function coupling(verdictOn: Judge = (edges, above) => judge(edges, undefined, above)): Detector {
  const ends = new OutsideEnds()
  const groups = new Groups(ends, verdictOn)
  const standing = new StandingClaims()

  function observe(change: Change, view: View): void {
    if (change.kind === "edge") replace(change.edge, change.previous, view)
    else if (change.kind === "edge-gone") remove(change.edge)
    else if (change.kind === "connection") move(change.connection, change.previous, view)
    else if (change.kind === "process") recount(ends.rename(change.facts, view))
  }

  /** Edges that are part of a group's sums. */
  const counted = new Set<CouplingEdge>()

  function replace(edge: CouplingEdge, previous: CouplingEdge | undefined, view: View): void {
    if (edge.kind === "exec") return
    const before = previous !== undefined && counted.has(previous) ? previous : undefined
    if (isOfSshItself(edge, view)) {
      if (before !== undefined) remove(before)
      return
    }
    counted.add(edge)
    if (before === undefined) {
      groups.add(edge, ends.hold(edge, view))
      return
    }
    groups.replace(before, ends.roleOf(before), edge, ends.hold(edge, view))
    counted.delete(before)
    ends.release(before)
  }

  function remove(edge: CouplingEdge): void {
    if (!counted.delete(edge)) return
    groups.remove(edge, ends.roleOf(edge))
    ends.release(edge)
  }

  function move(connection: Connection, previous: Connection | undefined, view: View): void {
    standing.observe(connection, previous)
    const change = ends.reconsider(connection, view)
    if (change !== undefined) recount([change])
  }

  function recount(changes: readonly RoleChange[]): void {
    for (const { edges, before, after } of changes)
      for (const edge of edges) {
        groups.remove(edge, before)
        groups.add(edge, after)
      }
  }

  function settle(view: View): readonly Claim[] {
    const claims: Claim[] = []
    for (const [group, best] of groups.judge()) {
      const before = standing.get(group)
      if (before && before.score > best.verdict.score) continue
      const basis = [best.edges.newest, ...best.edges.shown]
      claims.push(...standing.record(claimOf(group, best, view, before), basis, view))
    }
    return claims
  }

  return {
    name: detectorName,
    evictedClaims: () => standing.evicted,
    observe(change, view) {
      observe(change, view)
      return []
    },
    settle,
    tick: (nowUs, view) => standing.endClaims(nowUs, view),
  }
}

/** What SSH clients do inside for themselves: the socket by which others share a connection, and the probe of autossh. */
function isOfSshItself({ kind, bPath, bRemote, aProcess, bProcess }: CouplingEdge, view: View): boolean {
  if (kind !== "unix" && kind !== "tcp") return false
  const keys = aProcess === bProcess ? [aProcess] : [aProcess, bProcess]
  const users = keys.flatMap((key) => (key === undefined ? [] : (view.process(key) ?? [])))
  if (kind === "unix") return users.some((facts) => isControlSocket(bPath, facts))
  return users.some((facts) => {
    const parent = facts.parent === undefined ? undefined : view.process(facts.parent)
    return isAutosshEcho(bRemote, facts, parent)
  })
}
