/**
 * Coupling: A opened to the outside, B opened or written inside by the same processes, the far side of A speaking first.
 * One claim per group of processes, however many channels and destinations the tunnel has.
 */
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Claim, Detector } from "../../domain/detector.js"
import type { Microseconds } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isSshClientByName } from "../ssh-client/programs.js"
import { claimOf, detectorName } from "./evidence.js"
import { hypotheses, judge, type JudgedEdges, type OutsideRole } from "./judge.js"

/** Claims by group, each with the edges that it rests on. */
type Book = ClaimBook<readonly CouplingEdge[]>

export function coupling(): Detector {
  const book: Book = new ClaimBook()
  return {
    name: detectorName,
    observe(change, view) {
      if (change.kind === "edge" && change.edge.kind !== "exec") return claimGroup(change.edge.group, view, book)
      if (change.kind === "connection" && change.update.reason === "identified") {
        const edges = view.edgesOfConnection(change.connection.cookie)
        return [...new Set(edges.map((edge) => edge.group))].flatMap((group) => claimGroup(group, view, book))
      }
      return []
    },
    tick: (nowUs, view) => endClaims(nowUs, view, book),
  }
}

/** A tunnel that opens an outside connection per channel lives as long as its processes hold any to the same place. */
function endClaims(nowUs: Microseconds, view: View, book: Book): readonly Claim[] {
  const over: string[] = []
  for (const [group, { basis }] of book.all()) if (!basis.some((edge) => outsideLives(edge, view))) over.push(group)
  return over.flatMap((group) => book.end(group, nowUs))
}

function outsideLives(edge: CouplingEdge, view: View): boolean {
  const a = view.connection(edge.aCookie)
  if (a && a.closed === undefined) return true
  if (edge.aProcess === undefined) return false
  return view.connectionsOf(edge.aProcess).some((c) => c.remote.address === edge.aRemote.address)
}

function claimGroup(group: string, view: View, book: Book): readonly Claim[] {
  const best = judgeGroup(group, view)
  if (!best) return []
  const before = book.get(group)?.claim
  if (before && before.score > best.verdict.score) return []
  return book.record(claimOf(group, best, view, before), best.edges)
}

function judgeGroup(group: string, view: View): JudgedEdges | undefined {
  const edges = view.edgesOf(group).filter((edge) => edge.kind !== "exec")
  const roleOf = (edge: CouplingEdge): OutsideRole => outsideRole(edge, view)
  let best: JudgedEdges | undefined
  for (const candidate of hypotheses(edges)) {
    const [first, ...rest] = candidate
    if (!first) continue
    const verdict = judge(candidate, roleOf)
    if (verdict && verdict.score > (best?.verdict.score ?? 0)) best = { verdict, edges: [first, ...rest] }
  }
  return best
}

function outsideRole(edge: CouplingEdge, view: View): OutsideRole {
  const a = view.connection(edge.aCookie)
  if (!a) return { sshClient: false, openedUs: edge.firstUs }
  const seen = a.ssh.localClient || (a.ssh.localIdent && a.ssh.remoteIdent && !a.ssh.remoteClient)
  const owner = a.process === undefined ? undefined : view.process(a.process)
  return { sshClient: seen || isSshClientByName(a, owner), openedUs: a.openedUs }
}
