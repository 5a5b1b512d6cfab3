/** What one flood amounts to: amounts per window and kind, bursts, and what was lost with it. Pure. */
import type { Microseconds } from "../../domain/identity.js"
import type { OverloadKind } from "../../domain/overload.js"
import { blindingThresholds as limits } from "./thresholds.js"

/** From the least grave to the gravest; "none" is no claim. */
export const grades = ["none", "note", "harm", "flood"] as const
export type Grade = (typeof grades)[number]

/** Of one kind of work of one flood. Amounts are beyond the bound. */
export interface Excess {
  readonly limit: number
  readonly total: number
  readonly firstUs: Microseconds
  readonly lastUs: Microseconds
  readonly windowStartUs: Microseconds
  readonly inWindow: number
  /** The most in one window. */
  readonly peak: number
  /** When bursts began that had enough in one window, the latest ones. */
  readonly bursts: readonly Microseconds[]
  /** The burst that goes on counts already. */
  readonly isBurstCounted: boolean
  readonly burstStartUs: Microseconds
}

/** What is new of one kind. */
export interface Addition {
  readonly amount: number
  readonly limit: number
  readonly firstUs: Microseconds
  readonly lastUs: Microseconds
}

export function addExcess(kind: OverloadKind, before: Excess | undefined, added: Addition): Excess {
  const { amount, limit, firstUs } = added
  const lastUs = Math.max(added.lastUs, before?.lastUs ?? 0)
  const isNewWindow = before === undefined || lastUs >= before.windowStartUs + limits.windowUs
  const isNewBurst = before === undefined || added.lastUs > before.lastUs + limits.burstGapUs
  const inWindow = (isNewWindow ? 0 : before.inWindow) + amount
  const burstStartUs = isNewBurst ? lastUs : before.burstStartUs
  const wasCounted = !isNewBurst && before.isBurstCounted
  const isBurst = inWindow >= limits.perWindow[kind].burst
  const bursts = before?.bursts ?? []
  return {
    limit,
    total: (before?.total ?? 0) + amount,
    firstUs: Math.min(before?.firstUs ?? firstUs, firstUs),
    lastUs,
    windowStartUs: isNewWindow ? lastUs : before.windowStartUs,
    inWindow,
    peak: Math.max(before?.peak ?? 0, inWindow),
    bursts: isBurst && !wasCounted ? [...bursts, burstStartUs].slice(-limits.bursts) : bursts,
    isBurstCounted: wasCounted || isBurst,
    burstStartUs,
  }
}

/** When it is over: the bursts stay. */
export function atRest(one: Excess): Excess {
  return { ...one, total: 0, inWindow: 0, peak: 0, firstUs: Number.POSITIVE_INFINITY }
}

/** `lost` is of the host, within a window of the excess. */
export function gradeOf(kind: OverloadKind, { peak, bursts, lastUs }: Excess, lost: number): Grade {
  const { note, burst, flood } = limits.perWindow[kind]
  const recent = bursts.filter((atUs) => atUs + limits.repeatsWithinUs >= lastUs)
  if (peak >= flood || recent.length >= limits.repeats) return "flood"
  if (peak < note) return "none"
  return peak >= burst && lost >= limits.lostWithIt ? "harm" : "note"
}

export function gravest(all: readonly Grade[]): Grade {
  return all.reduce((worst, one) => (grades.indexOf(one) > grades.indexOf(worst) ? one : worst), "none")
}
