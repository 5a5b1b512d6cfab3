/** What the coupling detector had before it when it judged each scenario of a recording: its strongest edges, as numbers. */
import { loadConfig } from "@backflow/analyzer/config/load"
import { defaultTrackerLimits } from "@backflow/analyzer/connections/limits"
import { coupling } from "@backflow/analyzer/detectors/coupling/coupling"
import type { EdgeSums } from "@backflow/analyzer/detectors/coupling/edge-sums"
import { judge, weigh } from "@backflow/analyzer/detectors/coupling/judge"
import type { Factors, Verdict, Weighed } from "@backflow/analyzer/detectors/coupling/judge"
import { couplingThresholds } from "@backflow/analyzer/detectors/coupling/thresholds"
import type { Detector } from "@backflow/analyzer/domain/detector"
import type { ProcessFacts, ProcessKey } from "@backflow/analyzer/domain/identity"
import { Networks } from "@backflow/analyzer/domain/networks"
import { stagesFor } from "@backflow/analyzer/pipeline/stages"
import { replay } from "@backflow/analyzer/service/replay"
import type { LabelledRecording, Scenario } from "./recordings.js"

export const levels = ["none", "note", "medium", "high", "certain"] as const
export type Level = (typeof levels)[number]

export interface Sample extends Scenario {
  /** What the detector makes of it, its limits for both directions included. */
  readonly level: Level
  /** By the role of an SSH client: no weight has a part in that. */
  readonly isByRole: boolean
  /** Nobody was seen to dial or to wait: other limits hold. */
  readonly isKeptOpen: boolean
  /** What all observations come to. */
  readonly bits: number
  /** Bits of each observation, as they are added up: "chance" is what coincidence takes away. */
  readonly observations: Readonly<Record<string, number>>
  /** Turns in and out, and how often each thing was counted in them. */
  readonly counts: Readonly<Record<string, number>>
}

/** Lines of descent are short; a key that comes again later must not make one endless. */
const maxAncestors = 32

/** The strongest of each scenario that has any judged edge, with the weights multiplied by `factors`. */
export function samples(recordings: readonly LabelledRecording[], factors: Factors = new Map()): Sample[] {
  const strongest = new Map<string, Sample>()
  for (const recording of recordings)
    for (const sample of samplesOf(recording, factors)) {
      const before = strongest.get(sample.name)
      if (before === undefined || isStronger(sample, before)) strongest.set(sample.name, sample)
    }
  return [...strongest.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function isStronger(a: Sample, b: Sample): boolean {
  const rank = ({ level }: Sample) => levels.indexOf(level)
  return rank(a) > rank(b) || (rank(a) === rank(b) && a.bits > b.bits)
}

function samplesOf({ streams, scenarioOf }: LabelledRecording, factors: Factors): Iterable<Sample> {
  const processes = new Map<ProcessKey, ProcessFacts>()
  const localAddresses = new Map<string, string>()
  const book: Detector = {
    name: "book",
    observe(change) {
      if (change.kind === "process") processes.set(change.facts.key, change.facts)
      if (change.kind === "connection") localAddresses.set(change.connection.cookie, change.connection.local.address)
      return []
    },
    tick: () => [],
  }
  const strongest = new Map<string, Sample>()
  const detector = coupling((edges) => {
    const { newest } = edges
    const lineage = [newest.aProcess, newest.bProcess].flatMap((key) => lineageOf(key, processes))
    const localAddress = localAddresses.get(newest.aCookie)
    const scenario = scenarioOf({ lineage, atUs: newest.lastUs, localAddress })
    const weighed = scenario && weigh(edges, factors)
    if (scenario === undefined || weighed === undefined) return undefined
    const sample = { ...scenario, ...sampleOf(edges, weighed, judge(edges, factors)) }
    const before = strongest.get(scenario.name)
    if (before === undefined || isStronger(sample, before)) strongest.set(scenario.name, sample)
    return undefined
  })
  const config = loadConfig({ file: undefined, environment: {} })
  const options = {
    networks: new Networks(),
    stages: { ...stagesFor(config), detectors: () => [book, detector] },
    trackerLimits: defaultTrackerLimits,
  }
  // What comes out of it is of no interest: the detector is heard on the way.
  const outputs = replay(streams, options, () => undefined)
  while (outputs.next().done !== true);
  return strongest.values()
}

function lineageOf(key: ProcessKey | undefined, processes: ReadonlyMap<ProcessKey, ProcessFacts>): ProcessFacts[] {
  const line: ProcessFacts[] = []
  for (let next = key; next !== undefined && line.length < maxAncestors;) {
    const facts = processes.get(next)
    if (facts === undefined) break
    line.push(facts)
    next = facts.parent
  }
  return line
}

function sampleOf(
  edges: EdgeSums,
  { observations, bits, forward, backward, opened, isDialled }: Weighed,
  verdict: Verdict | undefined,
): Omit<Sample, keyof Scenario> {
  const { order } = edges
  const isByRole = verdict?.reason === "ssh-client-dials-inside" || verdict?.reason === "agent-forwarding"
  const plain = observations.filter(({ name }) => name !== "chance").map(({ name, bits: of }) => [name, of] as const)
  // With a factor of its own it is no longer the weaker of two: what is missing from the sum is what it took.
  const taken = bits - plain.reduce((sum, [, of]) => sum + of, 0)
  const chance = Math.abs(taken) < 1e-9 ? 0 : taken
  return {
    level: levelOf(verdict),
    isByRole,
    isKeptOpen: !isDialled,
    bits,
    observations: Object.fromEntries([...plain, ["chance", chance] as const].filter(([, of]) => of !== 0)),
    counts: { turns: forward.n, answers: backward.n, opened, openedAlone: edges.openedAlone, ...order },
  }
}

/** Of two levels with one score the weaker: by role there are scores between. */
function levelOf(verdict: Verdict | undefined): Level {
  if (verdict === undefined) return "none"
  const { verdicts } = couplingThresholds
  const reached = levels.slice(1).filter((level) => verdict.score >= verdicts[level as Exclude<Level, "none">].score)
  return reached.at(-1) ?? "note"
}
