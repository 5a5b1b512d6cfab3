/**
 * Proofs: relays that the analyzer asks its collectors for. One that comes back as a finding shows that the host is watched;
 * one that does not shows that it is blind. What the relay's process does beyond what was asked for is judged like any other.
 */
import type { Claim } from "../../domain/detector.js"
import type { Microseconds, ProcessKey } from "../../domain/identity.js"
import { lostBy, nothingLost } from "../../domain/lost.js"
import type { Lost } from "../../domain/lost.js"
import type { DecidedProof, Proof, ProofOutcome, ProofStatus } from "../../domain/proof.js"
import type { View } from "../../domain/view.js"
import { asProof, blindClaim, secondsText } from "./evidence.js"
import { isWholeRelay } from "./judge.js"
import { proofThresholds as limits } from "./thresholds.js"

interface OpenRelay {
  readonly proof: Proof
  /** Claims about it that wait until all of it is seen. */
  held: readonly Claim[]
  decided: DecidedProof | undefined
  /** How the last claim about it that was not an end was judged. */
  wasProof: boolean
}

export class Proofs {
  /** By nonce, in the order in which they came. */
  readonly #relays = new Map<string, OpenRelay>()
  readonly #byProcess = new Map<ProcessKey, OpenRelay>()
  #status: ProofStatus = { lastProvenUs: undefined, last: undefined, blind: undefined }
  #lostAtProof: Lost = nothingLost
  #blindClaim: Claim | undefined

  get status(): ProofStatus {
    return this.#status
  }

  /** A collector repeats what it says of a relay to an analyzer that has just connected, and says later that one broke off. */
  observe(proof: Proof): void {
    const known = this.#relays.get(proof.nonce)
    if (known !== undefined && (proof.failure === "" || known.decided !== undefined)) return
    const relay = { held: [], decided: undefined, wasProof: false, ...known, proof: { ...known?.proof, ...proof } }
    this.#relays.set(proof.nonce, relay)
    if (proof.process !== undefined) this.#byProcess.set(proof.process, relay)
    this.#forgetOldest()
  }

  advance(claims: readonly Claim[], lost: Lost, view: View): readonly Claim[] {
    const passed: Claim[] = []
    for (const claim of claims) {
      const relay = claim.process === undefined ? undefined : this.#byProcess.get(claim.process)
      if (relay === undefined || claim.class !== "reverse_tunnel") passed.push(claim)
      else relay.held = [...relay.held, claim].slice(-limits.held)
    }
    for (const relay of this.#relays.values()) {
      passed.push(...this.#release(relay, view))
      const outcome = this.#outcome(relay, view.nowUs)
      if (outcome !== undefined) passed.push(...this.#decide(relay, outcome, lost, view))
    }
    return passed
  }

  /** What is known of the relay's claims by now: all of them at once, or none while some of it may be still to come. */
  #release(relay: OpenRelay, view: View): readonly Claim[] {
    const { held, proof } = relay
    const group = held.find(({ status }) => status === "active")?.subject
    if (held.length === 0) return []
    // The end of a relay says no more than what was said before it.
    const isProof = group === undefined ? relay.wasProof : isWholeRelay(view.edgesOf(group), proof.nonce)
    if (!isProof && relay.decided === undefined && !isOverdue(proof, view.nowUs)) return []
    relay.held = []
    relay.wasProof = isProof
    if (!isProof) return held
    const tookUs = relay.decided?.tookUs ?? Math.max(0, view.nowUs - proof.startedUs)
    return held.map((claim) => asProof(claim, proof, tookUs))
  }

  /** Undefined while it is not decided, or no longer. */
  #outcome({ proof, decided, wasProof }: OpenRelay, nowUs: Microseconds): ProofOutcome | undefined {
    if (decided !== undefined) return undefined
    if (wasProof) return nowUs - proof.startedUs > limits.foundWithinUs ? "late" : "found"
    if (proof.failure !== "") return "failed"
    return isOverdue(proof, nowUs) ? "missed" : undefined
  }

  #decide(relay: OpenRelay, outcome: ProofOutcome, lost: Lost, view: View): readonly Claim[] {
    const { proof } = relay
    const tookUs = Math.max(0, view.nowUs - proof.startedUs)
    const decided = { nonce: proof.nonce, outcome, tookUs, text: textOf(outcome, proof, tookUs) }
    relay.decided = decided
    if (outcome === "found") {
      this.#status = { lastProvenUs: view.nowUs, last: decided, blind: undefined }
      this.#lostAtProof = lost
      return this.#endBlindness(view.nowUs)
    }
    const { lastProvenUs } = this.#status
    const sinceUs = this.#status.blind?.sinceUs ?? proof.startedUs
    this.#status = { lastProvenUs, last: decided, blind: { sinceUs, reason: decided.text } }
    // A collector that was restarted counts from zero.
    const lostSince = lostBy((kind) => Math.max(0, lost[kind] - this.#lostAtProof[kind]))
    this.#blindClaim = blindClaim({ proof, decided, sinceUs, lastProvenUs, lost: lostSince }, view)
    return [this.#blindClaim]
  }

  #endBlindness(nowUs: Microseconds): readonly Claim[] {
    const claim = this.#blindClaim
    this.#blindClaim = undefined
    return claim === undefined ? [] : [{ ...claim, lastSeenUs: nowUs, status: "ended" }]
  }

  #forgetOldest(): void {
    if (this.#relays.size <= limits.remembered) return
    for (const [nonce, { proof }] of this.#relays) {
      this.#relays.delete(nonce)
      if (proof.process !== undefined) this.#byProcess.delete(proof.process)
      return
    }
  }
}

function isOverdue({ startedUs }: Proof, nowUs: Microseconds): boolean {
  return nowUs > startedUs + limits.foundWithinUs + limits.batchUs
}

function textOf(outcome: ProofOutcome, { failure, process }: Proof, tookUs: Microseconds): string {
  if (outcome === "found") return `the relay was found after ${secondsText(tookUs)}`
  if (outcome === "late") return `it was found only after ${secondsText(tookUs)}`
  if (outcome === "failed") return failure
  const within = `it was not found within ${limits.foundWithinUs / 1e6} s`
  return process === undefined ? `the kernel programs did not see it connect, and ${within}` : within
}
