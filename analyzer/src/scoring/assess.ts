/** From a claim and what else is claimed about the same thing to score, confidence and severity. Pure. */
import type { Claim } from "../domain/detector.js"
import type { Evidence, EvidenceKind } from "../domain/finding.js"
import { classFacts, type FindingClass } from "../domain/finding-classes.js"
import { isAtLeast, severities, type Severity } from "../domain/severity.js"
import { scoringThresholds } from "./thresholds.js"

const { bands } = scoringThresholds

/** Kind of the evidence by which a score was raised. */
export const modifierKind = "raised" satisfies EvidenceKind

export interface Assessment {
  /** 0..1, rounded to four places. */
  readonly score: number
  readonly confidence: number
  readonly severity: Severity
  /** What moved the score, one each. */
  readonly modifiers: readonly Evidence[]
}

type Rated = Pick<Claim, "class" | "score" | "confidence">
type Supporting = Rated & Pick<Claim, "detector" | "lastSeenUs">

/** `peers` are the other claims on the same connection or process; of each class the strongest counts. */
export function assess(claim: Rated, peers: readonly Supporting[]): Assessment {
  const supporting = strongestByClass(peers.filter((peer) => peer.class !== claim.class && weightOf(peer) > 0))
  const doubt = supporting.reduce((rest, peer) => rest * (1 - weightOf(peer)), 1)
  const score = raised(claim.score, doubt)
  return {
    score,
    confidence: raised(claim.confidence, doubt),
    severity: severityOf(claim.class, score),
    modifiers: supporting.map((peer) => modifier(claim, peer)),
  }
}

function severityOf(findingClass: FindingClass, score: number): Severity {
  const { ceiling } = classFacts[findingClass]
  return severities.findLast((severity) => isAtLeast(ceiling, severity) && score >= bands[severity]) ?? "info"
}

function weightOf({ class: supportingClass, score }: Rated): number {
  return classFacts[supportingClass].raise * clamp(score)
}

function raised(value: number, doubt: number): number {
  return Math.round((1 - (1 - clamp(value)) * doubt) * 10_000) / 10_000
}

function strongestByClass(peers: readonly Supporting[]): readonly Supporting[] {
  const strongest = new Map<FindingClass, Supporting>()
  for (const peer of peers) {
    const held = strongest.get(peer.class)
    if (held === undefined || peer.score > held.score) strongest.set(peer.class, peer)
  }
  return [...strongest.values()].sort((a, b) => (a.class < b.class ? -1 : 1))
}

function modifier(claim: Rated, peer: Supporting): Evidence {
  return {
    kind: modifierKind,
    text: `Raised because ${classFacts[peer.class].reason} on the same connection or process.`,
    atUs: peer.lastSeenUs,
    facts: {
      by: peer.detector,
      weight: Math.round(weightOf(peer) * 10_000) / 10_000,
      score_alone: Math.round(clamp(claim.score) * 10_000) / 10_000,
    },
  }
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value))
}
