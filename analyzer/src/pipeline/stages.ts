import type { Config } from "../config/load.js"
import { detectors } from "../detectors/registry.js"
import { FindingTracker } from "../findings/finding-tracker.js"
import { IncidentTracker } from "../incidents/incident-tracker.js"
import type { Stages } from "./host-pipeline.js"
import { policy } from "../policy/policy.js"

const secondUs = 1_000_000

/**
 * The stages of every host, set as the configuration says. `earlier` gives the last version of each finding that a run
 * before this one gave out.
 */
export function stagesFor(
  config: Pick<Config, "detectors" | "policy">,
  earlier: ReadonlyMap<string, number> = new Map(),
): Stages {
  const longLivedSshUs = config.detectors.longLivedSsh.afterSeconds * secondUs
  const rules = policy(config.policy)
  return {
    detectors: () => detectors({ longLivedSshUs }),
    findings: () => new FindingTracker(rules, earlier),
    incidents: () => new IncidentTracker(),
  }
}
