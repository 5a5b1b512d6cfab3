/** Weights fitted on one half of the scenarios and tried on the other, and the other way round. */
import { createHash } from "node:crypto"
import { observationNames } from "@backflow/analyzer/detectors/coupling/order"
import { rate } from "../score.js"
import type { Rate } from "../score.js"
import { fit, fitWithIntervals, probability, surprise } from "./regression.js"
import type { Interval, Prior, Row } from "./regression.js"
import { levels } from "./samples.js"
import type { Level, Sample } from "./samples.js"

export type Factors = ReadonlyMap<string, number>

/** Scenarios that have an observation, and what it says in them on average. */
export interface Seen {
  readonly count: number
  readonly meanBits: number
}

export interface Worth {
  readonly observation: string
  /** What its bits have to be multiplied with: by the first half, by the second, and by all. */
  readonly halves: readonly [Interval, Interval]
  readonly all: Interval
  readonly malicious: Seen
  readonly benign: Seen
}

/** How well weights do on scenarios that they were not fitted on. */
export interface Trial {
  readonly weights: "as they are" | "fitted"
  readonly half: 1 | 2
  readonly malicious: number
  readonly benign: number
  readonly reached: Readonly<Record<Exclude<Level, "none">, { readonly recall: Rate; readonly falseAlarms: Rate }>>
  /** Bits by which the answer surprises whoever believes the score, per scenario: 1 is what a coin says. */
  readonly logLoss: number
  /** By the probability that the score gives: how many there are, how many of them are expected and are malicious. */
  readonly calibration: readonly Bin[]
}

export interface Bin {
  readonly from: number
  readonly to: number
  readonly count: number
  readonly expected: number
  readonly malicious: number
}

export interface Weights {
  readonly samples: readonly Sample[]
  readonly byRole: readonly Sample[]
  readonly worth: readonly Worth[]
  readonly trials: readonly Trial[]
}

/** The odds in a lab are its own: what no observation says is fitted freely, once for what was dialled and once for what stood before. */
const intercept: Prior = { mean: 0, deviation: 10, min: Number.NEGATIVE_INFINITY }
/** The reasoned weight, give or take as much again; what speaks for something never comes to speak against it. */
const reasoned: Prior = { mean: 1, deviation: 1, min: 0 }
const intercepts = 2
const priors: readonly Prior[] = [intercept, intercept, ...observationNames.map(() => reasoned)]
const bounds = [0, 0.1, 0.5, 0.9, 1] as const

/** By name alone, so that a scenario stays in its half whatever else is played. */
export function halfOf({ name }: Pick<Sample, "name">): 1 | 2 {
  return ((createHash("sha256").update(name).digest()[0] ?? 0) & 1) === 0 ? 1 : 2
}

/** `samplesWith` plays the recordings with other weights: what is strongest then may be something else. */
export function weights(samplesWith: (factors: Factors) => readonly Sample[]): Weights {
  const played = samplesWith(new Map())
  const [byRole, all] = [played.filter(({ isByRole }) => isByRole), played.filter(({ isByRole }) => !isByRole)]
  const half = (n: 1 | 2): Row[] => all.filter((one) => halfOf(one) === n).map(rowOf)
  const [first, second] = [fitWithIntervals(half(1), priors), fitWithIntervals(half(2), priors)]
  const whole = fitWithIntervals(all.map(rowOf), priors)
  const worth = observationNames.map((observation, i) => ({
    observation,
    halves: [at(first, i + intercepts), at(second, i + intercepts)] as const,
    all: at(whole, i + intercepts),
    malicious: seen(all, observation, "malicious"),
    benign: seen(all, observation, "benign"),
  }))
  const present = new Map(observationNames.map((_, i) => [i + intercepts, 1] as const))
  const trials = ([1, 2] as const).flatMap((tested) => {
    const [learnt, fitted] = tested === 1 ? [half(2), second] : [half(1), first]
    const factors = new Map(observationNames.map((name, i) => [name, at(fitted, i + intercepts).value] as const))
    const inHalf = (one: Sample): boolean => halfOf(one) === tested && !one.isByRole
    return [
      trial("as they are", tested, all.filter(inHalf), fit(learnt, priors, present)),
      trial(
        "fitted",
        tested,
        samplesWith(factors).filter(inHalf),
        fitted.map(({ value }) => value),
      ),
    ]
  })
  return { samples: all, byRole, worth, trials }
}

function at(intervals: readonly Interval[], i: number): Interval {
  const found = intervals[i]
  if (found === undefined) throw new Error(`there is no coefficient ${i}`)
  return found
}

function rowOf({ kind, isKeptOpen, observations }: Sample): Row {
  const values = observationNames.map((name) => observations[name] ?? 0)
  return { isPositive: kind === "malicious", values: [isKeptOpen ? 0 : 1, isKeptOpen ? 1 : 0, ...values] }
}

function seen(all: readonly Sample[], observation: string, kind: Sample["kind"]): Seen {
  const bits = all.flatMap((one) => (one.kind === kind ? (one.observations[observation] ?? []) : []))
  return { count: bits.length, meanBits: bits.reduce((sum, of) => sum + of, 0) / Math.max(1, bits.length) }
}

function trial(
  name: Trial["weights"],
  half: 1 | 2,
  tested: readonly Sample[],
  [dialled = 0, keptOpen = 0]: readonly number[],
): Trial {
  const [bad, good] = [
    tested.filter(({ kind }) => kind === "malicious"),
    tested.filter(({ kind }) => kind === "benign"),
  ]
  const judged = tested.map(({ kind, bits, isKeptOpen }) => ({
    isPositive: kind === "malicious",
    bits: bits + (isKeptOpen ? keptOpen : dialled),
  }))
  const reach = (level: Level) => (one: Sample) => levels.indexOf(one.level) >= levels.indexOf(level)
  const rates = (level: Level) => ({
    recall: rate(bad.filter(reach(level)).length, bad.length),
    falseAlarms: rate(good.filter(reach(level)).length, good.length),
  })
  const lost = judged.reduce((sum, { bits, isPositive }) => sum + surprise(bits, isPositive), 0)
  return {
    weights: name,
    half,
    malicious: bad.length,
    benign: good.length,
    reached: { note: rates("note"), medium: rates("medium"), high: rates("high"), certain: rates("certain") },
    logLoss: lost / Math.max(1, judged.length),
    calibration: bounds.slice(1).map((to, i) => {
      const from = bounds[i] ?? 0
      const inside = judged
        .map(({ bits, isPositive }) => ({ p: probability(bits), isPositive }))
        .filter(({ p }) => p >= from && (p < to || to === 1))
      return {
        from,
        to,
        count: inside.length,
        expected: inside.reduce((sum, { p }) => sum + p, 0),
        malicious: inside.filter(({ isPositive }) => isPositive).length,
      }
    }),
  }
}
