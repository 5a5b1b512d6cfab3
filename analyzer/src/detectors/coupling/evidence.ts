/** Coupling in words and numbers that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { View } from "../../domain/view.js"
import { bytesText, delayText, plural } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import type { Direction } from "./conservation.js"
import type { EdgeSums } from "./edge-sums.js"
import type { JudgedEdges, Verdict } from "./judge.js"
import { oddsEvidence, orderEvidence } from "./odds.js"
import { couplingThresholds as limits } from "./thresholds.js"

const reasons: Readonly<Record<Verdict["reason"], string>> = {
  "ssh-client-dials-inside": "an SSH client has no reason of its own to connect inside when the far side speaks",
  "bytes-exact": "not a byte was added or lost between the two, in both directions",
  "bytes-conserved": "the sizes of both belong together",
  "turns-in-order": "the sizes say less than who waited for whom",
  "agent-forwarding": "the far side uses the local agent or display",
}

export const detectorName = "coupling"

export function claimOf(group: string, judged: JudgedEdges, view: View, before: Claim | undefined): Claim {
  const { verdict, edges } = judged
  const { newest } = edges
  const a = view.connection(newest.aCookie)
  const process = newest.bProcess ?? newest.aProcess ?? a?.process
  return {
    class: "reverse_tunnel",
    detector: detectorName,
    subject: group,
    score: verdict.score,
    confidence: verdict.confidence,
    firstSeenUs: before?.firstSeenUs ?? edges.firstUs,
    lastSeenUs: newest.lastUs,
    process,
    cookie: newest.aCookie,
    summary: summary(judged, process === undefined ? "" : (view.process(process)?.comm ?? "")),
    evidence: couplingEvidence(edges, verdict, a),
    attack: a?.ssh.localIdent ? ["T1572", "T1090", "T1021.004"] : ["T1572", "T1090"],
    status: "active",
  }
}

function summary({ verdict, edges, places }: JudgedEdges, comm: string): string {
  const named = [...new Set(edges.shown.map(insideText))].slice(0, limits.shownPlaces)
  const rest = places - named.length
  const more = rest > 0 ? ` and ${rest} more places` : ""
  const outside = endpointText(edges.newest.aRemote)
  const times =
    verdict.opened > 0
      ? `; ${comm || "the process"} connected there ${verdict.opened === 1 ? "once" : `${verdict.opened} times`} right after ${outside} spoke`
      : ""
  return (
    `${comm || "A process"} lets ${outside} reach ${named.join(", ")}${more} inside${times}. ` +
    `${bytesText(verdict.forward.totalOut)} went in, ${bytesText(verdict.backward.totalOut)} came out.`
  )
}

/** Where B is, for a sentence: "127.0.0.1:8000" or a path. */
function insideText({ kind, bPath, bRemote }: CouplingEdge): string {
  if (kind === "many") return "many other places"
  return kind === "unix" ? bPath || "an unnamed socket" : endpointText(bRemote)
}

function couplingEvidence(
  edges: EdgeSums,
  verdict: Verdict,
  a: Connection | undefined,
): readonly [Evidence, ...Evidence[]] {
  const { newest, order } = edges
  const evidence: [Evidence, ...Evidence[]] = [
    conservationEvidence(newest, verdict),
    ...orderEvidence(order, newest.lastUs),
    oddsEvidence(verdict, newest.lastUs),
  ]
  for (const edge of edges.shown) evidence.push(dialEvidence(edge))
  if (a && (a.ssh.localIdent || a.ssh.remoteIdent)) {
    evidence.push({
      kind: "ssh",
      text: `The connection to ${endpointText(a.remote)} is SSH by its first bytes, and this host is the ${a.ssh.remoteClient ? "server" : "client"}.`,
      atUs: a.openedUs,
      facts: { ...a.ssh },
    })
  }
  return evidence
}

function dialEvidence(edge: CouplingEdge): Evidence {
  const dialled =
    edge.openedAfter > 0
      ? `${times(edge.openedAfter)} the far side spoke first and the process then connected to ${insideText(edge)}, soonest after ${delayText(edge.delayMinNs)}`
      : `What the far side said was passed to ${insideText(edge)}, which was open before`
  return {
    kind: "coupling",
    text: `${dialled}; ${bytesText(edge.forwardOut)} went in and ${bytesText(edge.backwardIn)} came back.`,
    atUs: edge.firstUs,
    facts: {
      inside: insideText(edge),
      inside_kind: edge.kind,
      outside: endpointText(edge.aRemote),
      outside_cookie: edge.aCookie,
      inside_cookie: edge.bCookie,
      opened_after: edge.openedAfter,
      opened_alone: edge.openedAlone,
      delay_min_ns: edge.openedAfter > 0 ? edge.delayMinNs : 0,
      forward_in_bytes: edge.forwardIn,
      forward_out_bytes: edge.forwardOut,
      backward_in_bytes: edge.backwardIn,
      backward_out_bytes: edge.backwardOut,
      last_us: edge.lastUs,
    },
  }
}

function conservationEvidence(newest: CouplingEdge, verdict: Verdict): Evidence {
  const { forward, backward } = verdict
  return {
    kind: "conservation",
    text:
      `In ${plural(forward.n, "turn")} ${bytesText(forward.totalIn)} came in from outside and ${bytesText(forward.totalOut)} went on inside; ` +
      `in ${plural(backward.n, "turn")} ${bytesText(backward.totalIn)} came back and ${bytesText(backward.totalOut)} left: ${reasons[verdict.reason]}.`,
    atUs: newest.lastUs,
    facts: { reason: verdict.reason, ...directionFacts("forward", forward), ...directionFacts("backward", backward) },
  }
}

function directionFacts(name: string, d: Direction): Record<string, number | boolean> {
  return {
    [`${name}_turns`]: d.n,
    [`${name}_in_bytes`]: d.totalIn,
    [`${name}_out_bytes`]: d.totalOut,
    [`${name}_framing_bytes_per_turn`]: Math.round(d.meanOut - d.meanIn),
    [`${name}_level_bits`]: round(d.levelBits),
    [`${name}_variation_bits`]: round(d.variationBits),
    [`${name}_exact`]: d.exact,
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function times(n: number): string {
  return n === 1 ? "Once" : `${n} times`
}
