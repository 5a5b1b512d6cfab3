import { detectors } from "../detectors/registry.js"
import { FindingTracker } from "../findings/finding-tracker.js"
import { Incidents } from "../incidents/incident-tracker.js"
import { policy } from "../policy/policy.js"
import type { PolicyRules } from "../policy/policy.js"
import type { Stages } from "./host-pipeline.js"

const secondUs = 1_000_000

/** The parts of the configuration that detectors and findings need. */
export interface StageOptions {
  readonly detectors: { readonly longLivedSsh: { readonly afterSeconds: number } }
  readonly policy: PolicyRules
}

/**
 * The stages of every host, set as the configuration says. `earlier` gives the last version of each finding that a run
 * before this one gave out.
 */
export function stagesFor(options: StageOptions, earlier: ReadonlyMap<string, number> = new Map()): Stages {
  const longLivedSshUs = options.detectors.longLivedSsh.afterSeconds * secondUs
  const rules = policy(options.policy)
  return {
    detectors: () => detectors({ longLivedSshUs }),
    findings: () => new FindingTracker(rules, earlier),
    incidents: () => new Incidents(),
  }
}
