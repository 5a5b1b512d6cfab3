/** From a claim and what else is claimed about the same thing to score, confidence and severity. Pure. */
import type { Claim } from "../domain/detector.js"
import { severities, type Evidence, type FindingClass, type Severity } from "../domain/finding.js"
import { thresholds } from "../detectors/thresholds.js"

const { raise, bands, ceiling } = thresholds.scoring

/** Kind of the evidence by which a score was raised. */
export const modifierKind = "raised"

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

export function severityOf(findingClass: FindingClass, score: number): Severity {
  const highest = severities.indexOf(ceiling[findingClass])
  const band = severities.findLast((severity, i) => i <= highest && score >= bands[severity])
  return band ?? "info"
}

/** True when `a` is the graver. */
export function isGraver(a: Severity, b: Severity): boolean {
  return severities.indexOf(a) > severities.indexOf(b)
}

function weightOf({ class: supportingClass, score }: Rated): number {
  return raise[supportingClass] * clamp(score)
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

const reasons: Readonly<Record<FindingClass, string>> = {
  reverse_tunnel: "a reverse tunnel was seen",
  reverse_shell: "a reverse shell was seen",
  long_lived_ssh: "the SSH connection has stood for long",
  ssh_role_inversion: "the far side is the SSH client",
  inverted_flow: "the far side speaks first and is answered at once",
  tunnel_intent: "the process was asked for a way back in",
}

function modifier(claim: Rated, peer: Supporting): Evidence {
  return {
    kind: modifierKind,
    text: `Raised because ${reasons[peer.class]} on the same connection or process.`,
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
