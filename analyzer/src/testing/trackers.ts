import { HostTracker } from "../connections/host-tracker.js"
import { defaultTrackerLimits } from "../connections/limits.js"
import type { TrackerLimits } from "../connections/limits.js"
import type { Batch } from "../domain/batch.js"
import type { ConnectionUpdate } from "../domain/connection.js"
import type { Change, Claim, Detector } from "../domain/detector.js"
import type { HostFacts, ProcessFacts } from "../domain/identity.js"
import { Networks } from "../domain/networks.js"
import type { View } from "../domain/view.js"
import type { PipelineOptions, Stages } from "../pipeline/host-pipeline.js"
import { aBatch } from "./batches.js"
import { aHost } from "./hosts.js"
import { unproven } from "./status.js"
import { startUs } from "./time.js"

export function aTracker(limits: Partial<TrackerLimits> = {}, host: HostFacts = aHost()): HostTracker {
  return new HostTracker(host, new Networks(), { ...defaultTrackerLimits, ...limits })
}

/** Applies the batch and gives its changes with the rows it made. */
export function apply(
  tracker: HostTracker,
  batch: Batch,
): { changes: Change[]; rows: ReturnType<HostTracker["takeRows"]> } {
  return { changes: [...tracker.apply(batch)], rows: tracker.takeRows() }
}

/** A real tracker with these live connections. */
export function aView(
  connections: readonly ConnectionUpdate[],
  processes: readonly ProcessFacts[] = [],
  host: HostFacts = aHost(),
): HostTracker {
  const tracker = aTracker({}, host)
  apply(tracker, aBatch(1, { observedUs: startUs, connections, processes }))
  return tracker
}

/** A pipeline that tracks connections and finds nothing. */
export const noStages: Stages = {
  detectors: () => [],
  proofs: () => ({
    observe: () => undefined,
    advance: (claims) => claims,
    status: unproven,
  }),
  findings: () => ({ evicted: {}, advance: () => [] }),
  incidents: () => ({ evicted: 0, advance: () => [] }),
}

export function pipelineOptions(changes: Partial<PipelineOptions> = {}): PipelineOptions {
  return { networks: new Networks(), stages: noStages, trackerLimits: defaultTrackerLimits, ...changes }
}

/** A host that one detector watches. Each `step` is a batch, and the tick that follows it. */
export class DetectorRun {
  readonly #tracker = aTracker()
  readonly #detector: Detector
  #seq = 0

  constructor(detector: Detector) {
    this.#detector = detector
  }

  get view(): View {
    return this.#tracker
  }

  step(atUs: number, parts: Partial<Batch> = {}): readonly Claim[] {
    this.#seq += 1
    const claims: Claim[] = []
    for (const change of this.#tracker.apply(aBatch(this.#seq, { observedUs: atUs, ...parts }))) {
      claims.push(...this.#detector.observe(change, this.#tracker))
    }
    claims.push(...(this.#detector.settle?.(this.#tracker) ?? []))
    claims.push(...this.#detector.tick(atUs, this.#tracker))
    return claims
  }
}
