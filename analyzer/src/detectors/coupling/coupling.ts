/**
 * Coupling: A opened to the outside, B opened or written inside by the same processes, the far side of A speaking first.
 * One claim per group of processes, however many channels and destinations the tunnel has.
 */
import type { Connection } from "../../domain/connection.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { bytesText, couplingEvidence, endpointText, insideText } from "./evidence.js"
import { hypotheses, judge, type OutsideRole, type Verdict } from "./verdict.js"

const name = "coupling"

interface Judged {
  readonly verdict: Verdict
  readonly edges: readonly [CouplingEdge, ...CouplingEdge[]]
}

export function coupling(): Detector {
  const claimed = new Map<string, Claim>()
  return {
    name,
    observe(change, view) {
      if (change.kind === "edge" && change.edge.kind !== "exec") return claimGroup(change.edge.group, view, claimed)
      if (change.kind === "connection") return onConnection(change, view, claimed)
      return []
    },
    tick: () => [],
  }
}

/** SSH is recognised after the edge may have been seen; the end of A ends the claim. */
function onConnection(
  change: Extract<Change, { kind: "connection" }>,
  view: View,
  claimed: Map<string, Claim>,
): readonly Claim[] {
  const { cookie, closed } = change.connection
  if (closed !== undefined) return endClaims(cookie, view, claimed)
  if (change.update.reason !== "identified") return []
  const groups = new Set(view.edgesOfConnection(cookie).map((edge) => edge.group))
  return [...groups].flatMap((group) => claimGroup(group, view, claimed))
}

function endClaims(cookie: string, view: View, claimed: Map<string, Claim>): readonly Claim[] {
  const ended: Claim[] = []
  for (const [group, claim] of claimed) {
    if (claim.cookie !== cookie) continue
    const successor = anotherOutside(group, cookie, view)
    if (successor) {
      claimed.set(group, { ...claim, cookie: successor.cookie })
      continue
    }
    claimed.delete(group)
    ended.push({ ...claim, lastSeenUs: view.nowUs, status: "ended" })
  }
  return ended
}

/** A tunnel that opens an outside connection per channel lives as long as one of them does. */
function anotherOutside(group: string, cookie: string, view: View): Connection | undefined {
  for (const edge of view.edgesOf(group)) {
    const a = view.connection(edge.aCookie)
    if (a && a.cookie !== cookie && a.closed === undefined) return a
  }
  return undefined
}

function claimGroup(group: string, view: View, claimed: Map<string, Claim>): readonly Claim[] {
  const best = judgeGroup(group, view)
  if (!best) return []
  const before = claimed.get(group)
  if (before && before.score > best.verdict.score) return []
  const claim = toClaim(group, best, view, before)
  claimed.set(group, claim)
  return [claim]
}

function judgeGroup(group: string, view: View): Judged | undefined {
  const edges = view.edgesOf(group).filter((edge) => edge.kind !== "exec")
  const roleOf = (edge: CouplingEdge): OutsideRole => outsideRole(edge, view)
  let best: Judged | undefined
  for (const candidate of hypotheses(edges)) {
    const [first, ...rest] = candidate
    if (!first) continue
    const verdict = judge(candidate, roleOf)
    if (verdict && verdict.score > (best?.verdict.score ?? 0)) best = { verdict, edges: [first, ...rest] }
  }
  return best
}

/**
 * The identification of a socket older than the collector was not seen: there the program and the registered port stand
 * in, and only for the role of a client that is known by name.
 */
function outsideRole(edge: CouplingEdge, view: View): OutsideRole {
  const a = view.connection(edge.aCookie)
  if (!a) return { sshClient: false, openedUs: edge.firstUs }
  const seen = a.ssh.localClient || (a.ssh.localIdent && a.ssh.remoteIdent && !a.ssh.remoteClient)
  const exe = (a.process === undefined ? undefined : view.process(a.process))?.exe ?? ""
  const older = a.olderThanCollector && a.remote.port === 22 && /\/(ssh|dbclient|dropbear)$/.test(exe)
  return { sshClient: seen || older, openedUs: a.openedUs }
}

function toClaim(group: string, { verdict, edges }: Judged, view: View, before: Claim | undefined): Claim {
  const newest = edges.reduce((x, y) => (y.lastUs > x.lastUs ? y : x))
  const a = view.connection(newest.aCookie)
  const process = newest.bProcess ?? newest.aProcess ?? a?.process
  return {
    class: "reverse_tunnel",
    detector: name,
    subject: group,
    score: verdict.score,
    confidence: verdict.confidence,
    firstSeenUs: before?.firstSeenUs ?? Math.min(...edges.map((edge) => edge.firstUs)),
    lastSeenUs: newest.lastUs,
    process,
    cookie: newest.aCookie,
    summary: summary(verdict, edges, process === undefined ? "" : (view.process(process)?.comm ?? "")),
    evidence: couplingEvidence(edges, verdict, a),
    attack: a?.ssh.localIdent ? ["T1572", "T1090", "T1021.004"] : ["T1572", "T1090"],
    status: "active",
    facts: { reason: verdict.reason, inside: insideText(newest), opened: verdict.opened },
  }
}

function summary(verdict: Verdict, edges: readonly [CouplingEdge, ...CouplingEdge[]], comm: string): string {
  const places = [...new Set(edges.map(insideText))]
  const first = places.slice(0, 3).join(", ")
  const more = places.length > 3 ? ` and ${places.length - 3} more places` : ""
  const outside = endpointText(edges[0].aRemote)
  const times =
    verdict.opened > 0
      ? `; ${comm || "the process"} connected there ${verdict.opened === 1 ? "once" : `${verdict.opened} times`} right after ${outside} spoke`
      : ""
  return (
    `${comm || "A process"} lets ${outside} reach ${first}${more} inside${times}. ` +
    `${bytesText(verdict.forward.totalOut)} went in, ${bytesText(verdict.backward.totalOut)} came out.`
  )
}
