import { Proofs } from "../detectors/proof/proof.js"
import { detectors } from "../detectors/registry.js"
import type { DetectorOptions } from "../detectors/registry.js"
import { FindingTracker } from "../findings/finding-tracker.js"
import { IncidentTracker } from "../incidents/incident-tracker.js"
import { policy } from "../policy/policy.js"
import type { PolicyRules } from "../policy/policy.js"
import type { Stages } from "./host-pipeline.js"

/** What a person sets; the configuration has it in this form. */
export interface StageOptions {
  readonly detectors: DetectorOptions
  readonly policy: PolicyRules
}

/** The stages of every host. `earlier` gives the last version of each finding that a run before this one gave out. */
export function stagesFor(options: StageOptions, earlier: ReadonlyMap<string, number> = new Map()): Stages {
  const rules = policy(options.policy)
  return {
    detectors: () => detectors(options.detectors),
    proofs: () => new Proofs(),
    findings: () => new FindingTracker(rules, earlier),
    incidents: () => new IncidentTracker(),
  }
}
