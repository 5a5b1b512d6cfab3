/**
 * Coupling: A opened to the outside, B opened or written inside by the same processes, the far side of A speaking first.
 * One claim per group of processes, however many channels and destinations the tunnel has.
 */
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Claim, Detector } from "../../domain/detector.js"
import type { Microseconds } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { bytesText, couplingEvidence, endpointText, insideText } from "./evidence.js"
import { hypotheses, judge, type OutsideRole, type Verdict } from "./verdict.js"

const name = "coupling"

interface Judged {
  readonly verdict: Verdict
  readonly edges: readonly [CouplingEdge, ...CouplingEdge[]]
}

interface Claimed {
  readonly claim: Claim
  readonly edges: readonly CouplingEdge[]
}

export function coupling(): Detector {
  const claimed = new Map<string, Claimed>()
  return {
    name,
    observe(change, view) {
      if (change.kind === "edge" && change.edge.kind !== "exec") return claimGroup(change.edge.group, view, claimed)
      if (change.kind === "connection" && change.update.reason === "identified") {
        const edges = view.edgesOfConnection(change.connection.cookie)
        return [...new Set(edges.map((edge) => edge.group))].flatMap((group) => claimGroup(group, view, claimed))
      }
      return []
    },
    tick: (nowUs, view) => endClaims(nowUs, view, claimed),
  }
}

/** A tunnel that opens an outside connection per channel lives as long as its processes hold any to the same place. */
function endClaims(nowUs: Microseconds, view: View, claimed: Map<string, Claimed>): readonly Claim[] {
  const ended: Claim[] = []
  for (const [group, { claim, edges }] of claimed) {
    if (edges.some((edge) => outsideLives(edge, view))) continue
    claimed.delete(group)
    ended.push({ ...claim, lastSeenUs: nowUs, status: "ended" })
  }
  return ended
}

function outsideLives(edge: CouplingEdge, view: View): boolean {
  const a = view.connection(edge.aCookie)
  if (a && a.closed === undefined) return true
  if (edge.aProcess === undefined) return false
  return view.connectionsOf(edge.aProcess).some((c) => c.remote.address === edge.aRemote.address)
}

function claimGroup(group: string, view: View, claimed: Map<string, Claimed>): readonly Claim[] {
  const best = judgeGroup(group, view)
  if (!best) return []
  const before = claimed.get(group)?.claim
  if (before && before.score > best.verdict.score) return []
  const claim = toClaim(group, best, view, before)
  claimed.set(group, { claim, edges: best.edges })
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
