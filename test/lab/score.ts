/** Rates with their bounds, latencies, and what they are of. Pure. */
import type { Outcome, Sighting } from "./outcome.js"

export interface Rate {
  readonly count: number
  readonly of: number
  /** Bounds at 95 % (Wilson 1927): right for few cases and for rates near 0 and 1 too. */
  readonly low: number
  readonly high: number
}

/** 97.5 % quantile of the normal distribution. */
const z = 1.959964

export function rate(count: number, of: number): Rate {
  if (of === 0) return { count, of, low: 0, high: 1 }
  const share = count / of
  const [square, middle] = [z * z, share + (z * z) / (2 * of)]
  const spread = z * Math.sqrt((share * (1 - share) + square / (4 * of)) / of)
  const scale = 1 + square / of
  return { count, of, low: Math.max(0, (middle - spread) / scale), high: Math.min(1, (middle + spread) / scale) }
}

/** Nearest-rank percentile. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

/** The finding that a case is about where it came, else the first alert. */
const shown = ({ right, alert }: Outcome): Sighting | undefined => right ?? alert

/** Milliseconds from the first byte that the outside sent in to the finding; 0 for one that came before. */
export function afterUseMs(outcome: Outcome): number | undefined {
  const [finding, { firstUs }] = [shown(outcome), outcome]
  return finding === undefined || firstUs === undefined ? undefined : Math.max(0, (finding.atUs - firstUs) / 1000)
}

/** Milliseconds from the moment at which its connection was opened to the finding. */
export function afterConnectMs(outcome: Outcome): number | undefined {
  const finding = shown(outcome)
  return finding?.connectedUs === undefined ? undefined : Math.max(0, (finding.atUs - finding.connectedUs) / 1000)
}

export interface Latency {
  readonly of: number
  readonly medianMs: number | undefined
  readonly p99Ms: number | undefined
}

export interface Score {
  readonly recall: Rate
  /** Of what was found: of a class that is wanted, and of those in a process that is wanted. */
  readonly classes: Rate
  readonly processes: Rate
  readonly falseAlarms: Rate
  readonly afterUse: Latency
  readonly afterConnect: Latency
  readonly skipped: number
  readonly failed: number
}

export const isPlayed = ({ skipped, failed }: Outcome): boolean => skipped === undefined && failed === undefined

export function score(outcomes: readonly Outcome[]): Score {
  const played = outcomes.filter(isPlayed)
  const bad = played.filter(({ kind }) => kind === "malicious")
  const good = played.filter(({ kind }) => kind === "benign")
  const found = bad.filter(({ alert }) => alert !== undefined)
  const right = found.filter((one) => one.right !== undefined)
  return {
    recall: rate(found.length, bad.length),
    classes: rate(right.length, found.length),
    processes: rate(right.filter((one) => one.isProcessRight === true).length, right.length),
    falseAlarms: rate(good.filter(({ alert }) => alert !== undefined).length, good.length),
    afterUse: latency(found.map(afterUseMs)),
    afterConnect: latency(found.map(afterConnectMs)),
    skipped: outcomes.filter(({ skipped }) => skipped !== undefined).length,
    failed: outcomes.filter(({ failed }) => failed !== undefined).length,
  }
}

function latency(values: readonly (number | undefined)[]): Latency {
  const known = values.filter((value) => value !== undefined)
  return { of: known.length, medianMs: percentile(known, 0.5), p99Ms: percentile(known, 0.99) }
}
