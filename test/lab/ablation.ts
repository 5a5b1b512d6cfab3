/** What each observation is worth: the recording of a run, judged again with one of them switched off. */
import { loadConfig } from "@backflow/analyzer/config/load"
import { defaultTrackerLimits } from "@backflow/analyzer/connections/limits"
import { observations } from "@backflow/analyzer/detectors/registry"
import { findingJson } from "@backflow/analyzer/documents/finding-json"
import { Networks } from "@backflow/analyzer/domain/networks"
import { recordedStreams } from "@backflow/analyzer/ingest/server/recording"
import { stagesFor } from "@backflow/analyzer/pipeline/stages"
import { replay } from "@backflow/analyzer/service/replay"
import { concerns, isAlarming } from "./outcome.js"
import type { Outcome } from "./outcome.js"
import { isPlayed, rate } from "./score.js"
import type { Rate } from "./score.js"
import type { LabFinding } from "./watch.js"

export interface Ablation {
  /** Name of the observation; "nothing" for the whole. */
  readonly disabled: string
  readonly recall: Rate
  readonly falseAlarms: Rate
  /** Names of malicious cases that have an alert only with it. */
  readonly lost: readonly string[]
}

/** Batches that were under way when a case ended still count for it. */
const slackUs = 1_000_000

/** The whole first, then without each observation in turn. `folder` is what `--record` of the analyzer wrote. */
export function ablations(folder: string, outcomes: readonly Outcome[], progress: (text: string) => void): Ablation[] {
  const played = outcomes.filter(isPlayed)
  const bad = played.filter(({ kind }) => kind === "malicious")
  const good = played.filter(({ kind }) => kind === "benign")
  const whole = alertedCases(folder, played, new Set())
  return ["nothing", ...observations].map((disabled) => {
    progress(disabled)
    const alerted = disabled === "nothing" ? whole : alertedCases(folder, played, new Set([disabled]))
    return {
      disabled,
      recall: rate(bad.filter((one) => alerted.has(one)).length, bad.length),
      falseAlarms: rate(good.filter((one) => alerted.has(one)).length, good.length),
      lost: bad.filter((one) => whole.has(one) && !alerted.has(one)).map(({ name }) => name),
    }
  })
}

/** Cases with an alert about one of their processes while they ran: a process id may come again later. */
function alertedCases(folder: string, played: readonly Outcome[], disabled: ReadonlySet<string>): Set<Outcome> {
  const alerted = new Set<Outcome>()
  for (const finding of alarms(folder, disabled)) {
    const atUs = Date.parse(finding.detected_at) * 1000
    const isOf = (one: Outcome): boolean =>
      one.startUs <= atUs && atUs <= one.endUs + slackUs && concerns(finding, one.pids)
    const owner = played.find(isOf)
    if (owner !== undefined) alerted.add(owner)
  }
  return alerted
}

type Replayed = LabFinding & { readonly detected_at: string }

function* alarms(folder: string, disabled: ReadonlySet<string>): Generator<Replayed> {
  const config = loadConfig({ file: undefined, environment: {} })
  const options = {
    networks: new Networks(),
    stages: stagesFor({ ...config, detectors: { ...config.detectors, disabled } }),
    trackerLimits: defaultTrackerLimits,
  }
  for (const { findings } of replay(recordedStreams(folder), options, () => undefined))
    for (const finding of findings) {
      const json = JSON.parse(JSON.stringify(findingJson(finding))) as Replayed
      if (isAlarming(json)) yield json
    }
}
