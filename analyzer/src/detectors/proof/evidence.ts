/** Proofs in words and numbers. */
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds } from "../../domain/identity.js"
import { lostKinds } from "../../domain/lost.js"
import type { Lost } from "../../domain/lost.js"
import type { DecidedProof, Proof } from "../../domain/proof.js"
import type { View } from "../../domain/view.js"
import { durationText } from "../../text/amounts.js"
import { formatTime } from "../../text/rfc3339.js"
import { proofThresholds } from "./thresholds.js"

export const detectorName = "proof"
/** There is one such claim in a boot. */
export const blindSubject = "host"

/** A claim about the relay that was asked for. */
export function asProof(claim: Claim, { nonce, startedUs }: Proof, tookUs: Microseconds): Claim {
  const [first, ...rest] = claim.evidence
  return {
    ...claim,
    isProof: true,
    summary: `Proof that this host is watched: ${claim.summary}`,
    evidence: [
      first,
      {
        kind: "proof",
        text:
          "The collector opened this relay because the analyzer asked for it: every turn has the size that the analyzer's " +
          `nonce gives, and the relay was found ${secondsText(tookUs)} after it connected.`,
        atUs: startedUs,
        facts: { nonce, found_after_us: tookUs },
      },
      ...rest,
    ],
  }
}

/** What the claim that a host is blind rests on. */
export interface Blindness {
  readonly proof: Proof
  readonly decided: DecidedProof
  readonly sinceUs: Microseconds
  readonly lastProvenUs: Microseconds | undefined
  /** What the collector has lost since it was last proven. */
  readonly lost: Lost
}

export function blindClaim({ proof, decided, sinceUs, lastProvenUs, lost }: Blindness, view: View): Claim {
  const wasProven = lastProvenUs !== undefined
  const verdict = verdictOf(decided, wasProven)
  const { hostName } = view.host
  const summary =
    decided.outcome === "failed"
      ? `Whether ${hostName} would show a way in could not be tried: ${decided.text}.`
      : `${hostName} is blind: a relay that its own collector opened did not come back as it must, ${decided.text}.`
  return {
    class: "host_blind",
    detector: detectorName,
    subject: blindSubject,
    ...verdict,
    firstSeenUs: sinceUs,
    lastSeenUs: view.nowUs,
    process: undefined,
    cookie: "",
    summary,
    evidence: [
      {
        kind: "proof",
        text: `At ${formatTime(proof.startedUs)} the analyzer's request for a proof ended so: ${decided.text}. ${provenText(lastProvenUs)}`,
        atUs: proof.startedUs,
        facts: {
          outcome: decided.outcome,
          nonce: decided.nonce,
          took_us: decided.tookUs,
          ...(wasProven && { last_proven_us: lastProvenUs }),
        },
      },
      ...lossEvidence(lost, view.nowUs),
      ...degradedEvidence(view),
    ],
    // Impair Defenses: Indicator Blocking.
    attack: ["T1562.006"],
    status: "active",
  }
}

function verdictOf({ outcome }: DecidedProof, wasProven: boolean) {
  const { verdicts } = proofThresholds
  if (outcome === "late") return verdicts.late
  if (outcome === "missed") return verdicts.missed
  return wasProven ? verdicts.noLonger : verdicts.untried
}

function provenText(lastProvenUs: Microseconds | undefined): string {
  return lastProvenUs === undefined
    ? "No relay has come back in this boot of the host."
    : `The last relay that came back was found at ${formatTime(lastProvenUs)}.`
}

function lossEvidence(lost: Lost, atUs: Microseconds): Evidence[] {
  const kinds = lostKinds.filter((kind) => lost[kind] > 0)
  if (kinds.length === 0) return []
  const list = kinds.map((kind) => `${kind} ${lost[kind]}`).join(", ")
  return [
    {
      kind: "proof",
      text: `The collector has lost records since then: ${list}.`,
      atUs,
      facts: Object.fromEntries(kinds.map((kind) => [kind, lost[kind]])),
    },
  ]
}

function degradedEvidence({ host, nowUs }: View): Evidence[] {
  return host.degraded.map(({ feature, consequence }) => ({
    kind: "proof" as const,
    text: `The collector runs without ${feature}: ${consequence}.`,
    atUs: nowUs,
    facts: { feature },
  }))
}

/** Below a minute with two digits, which is what a proof is about. */
export function secondsText(us: Microseconds): string {
  return us < 60_000_000 ? `${(us / 1e6).toFixed(2)} s` : durationText(us)
}
