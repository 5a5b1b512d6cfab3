import type { Batch } from "../domain/batch.js"
import type { Change, Claim, Detector } from "../domain/detector.js"
import { totalEvicted } from "../domain/evicted.js"
import type { Evicted } from "../domain/evicted.js"
import type { Finding } from "../domain/finding.js"
import type { HostFacts, Microseconds, ProcessFacts } from "../domain/identity.js"
import type { Incident } from "../domain/incident.js"
import { batchToken } from "../domain/keys.js"
import { nothingLost } from "../domain/lost.js"
import type { Lost } from "../domain/lost.js"
import type { Networks } from "../domain/networks.js"
import type { HostReport, Output } from "../domain/output.js"
import type { Proof, ProofStatus } from "../domain/proof.js"
import type { View } from "../domain/view.js"
import { CouplingCurves } from "../findings/coupling-curves.js"
import { HostTracker } from "../connections/host-tracker.js"
import type { TrackerCounts } from "../connections/host-tracker.js"
import type { TrackerLimits } from "../connections/limits.js"
import { MirroredClaims } from "./mirrored-claims.js"

/** Tells what the analyzer asked for from what nobody did, and notices when it does not come back. */
export interface ProofStage {
  observe(proof: Proof): void
  /** The claims as they go on to findings: those about proofs marked, some held back for a while, some added. */
  advance(claims: readonly Claim[], lost: Lost, view: View): readonly Claim[]
  readonly status: ProofStatus
}

/** Turns claims into versioned findings; keeps the last version of each of one host. */
export interface FindingStage {
  /** What it gave up for want of room, or began late, so far. */
  readonly evicted: Partial<Evicted>
  advance(claims: readonly Claim[], view: View, nowUs: Microseconds): readonly Finding[]
}

/** Joins findings of one host into incidents. */
export interface IncidentStage {
  /** Identities that it forgot for want of room, so far. */
  readonly evicted: number
  advance(findings: readonly Finding[], view: View, nowUs: Microseconds): readonly Incident[]
}

/** Makes the stages of one host. Each call gives new ones: hosts share no state. */
export interface Stages {
  readonly detectors: () => readonly Detector[]
  readonly proofs: () => ProofStage
  readonly findings: () => FindingStage
  readonly incidents: () => IncidentStage
}

export interface PipelineOptions {
  readonly networks: Networks
  readonly stages: Stages
  readonly trackerLimits: TrackerLimits
}

/** Detectors see event time move in steps of at least 100 ms, and at every batch that is later than that. */
const tickUs = 100_000

/** A host is reported on every 10 s of event time: a minute of a dashboard then has several points. */
const reportUs = 10_000_000

/**
 * The straight way of one host in one boot: batch -> tracker -> changes -> detectors -> findings -> incidents. Event time
 * only: the same batches give the same outputs, byte for byte.
 */
export class HostPipeline {
  readonly #tracker: HostTracker
  readonly #detectors: readonly Detector[]
  readonly #proofs: ProofStage
  readonly #findings: FindingStage
  readonly #incidents: IncidentStage
  readonly #curves = new CouplingCurves()
  readonly #mirrored = new MirroredClaims()
  #reportedUs: Microseconds = 0
  #tickedUs: Microseconds = 0
  /** Of facts that came between batches; they count with the next one. */
  #claims: Claim[] = []

  constructor(host: HostFacts, { networks, stages, trackerLimits }: PipelineOptions) {
    this.#tracker = new HostTracker(host, networks, trackerLimits)
    this.#detectors = stages.detectors()
    this.#proofs = stages.proofs()
    this.#findings = stages.findings()
    this.#incidents = stages.incidents()
  }

  get view(): View {
    return this.#tracker
  }

  get proofs(): ProofStatus {
    return this.#proofs.status
  }

  /** What is held, and what any of its stages gave up so far. */
  get counts(): TrackerCounts {
    const { counts } = this.#tracker
    const evicted = {
      ...counts.evicted,
      ...this.#findings.evicted,
      claim: this.#detectors.reduce((sum, detector) => sum + (detector.evictedClaims?.() ?? 0), 0),
      incident: this.#incidents.evicted,
      curve: this.#curves.evicted,
    }
    return { ...counts, evicted }
  }

  greet(host: HostFacts): void {
    this.#tracker.greet(host)
  }

  /** Facts that a collector repeats after a reconnect, outside of any batch. */
  learn(processes: readonly ProcessFacts[]): void {
    this.#observe(this.#tracker.learn(processes))
  }

  /** A request for a proof that came to nothing before a collector could report it. It counts with the next batch. */
  proofFailed(nonce: string, failure: string): void {
    this.#proofs.observe({ nonce, process: undefined, startedUs: this.#tracker.nowUs, failure })
  }

  apply(batch: Batch): Output {
    this.#observe(this.#tracker.apply(batch))
    this.#settle()
    if (this.#tracker.nowUs >= this.#tickedUs + tickUs) this.#tick()
    return this.#output(this.#tracker.host, batch.seq, batch.lost)
  }

  /**
   * Ends the host: every connection closes, and with them what was claimed about them. The output counts as the one batch
   * of an instance of its own, for the real one may still come back.
   */
  end(): Output {
    this.#observe(this.#tracker.vanish())
    this.#settle()
    this.#tick()
    const { host } = this.#tracker
    return this.#output({ ...host, instance: `${host.instance}-silent` }, 1, nothingLost)
  }

  #observe(changes: Iterable<Change>): void {
    for (const change of changes) {
      this.#curves.observe(change)
      if (change.kind === "proof") this.#proofs.observe(change.proof)
      for (const detector of this.#detectors) this.#claims.push(...detector.observe(change, this.#tracker))
    }
  }

  #settle(): void {
    for (const detector of this.#detectors) this.#claims.push(...(detector.settle?.(this.#tracker) ?? []))
  }

  #tick(): void {
    this.#tickedUs = this.#tracker.nowUs
    for (const detector of this.#detectors) this.#claims.push(...detector.tick(this.#tracker.nowUs, this.#tracker))
  }

  #output(host: HostFacts, seq: number, lost: Lost): Output {
    const claims = this.#mirrored.advance(this.#proofs.advance(this.#claims, lost, this.#tracker), this.#tracker)
    this.#claims = []
    const { nowUs } = this.#tracker
    const findings = this.#findings.advance(claims, this.#tracker, nowUs)
    return {
      host,
      seq,
      token: batchToken(host, seq),
      lost,
      connections: this.#tracker.takeRows(),
      findings,
      incidents: this.#incidents.advance(findings, this.#tracker, nowUs),
      couplings: this.#curves.advance(findings, this.#tracker, nowUs),
      report: this.#report(nowUs),
    }
  }

  #report(nowUs: Microseconds): HostReport | undefined {
    if (nowUs < this.#reportedUs + reportUs) return undefined
    this.#reportedUs = nowUs
    const { liveConnections, processes, evicted } = this.counts
    return { atUs: nowUs, liveConnections, processes, evicted: totalEvicted(evicted) }
  }
}
