/**
 * Byte conservation between what came in on one connection and what went out on another. Pure numbers: turns as moment
 * sums in, evidence in bits out. A bit halves the odds that sizes agree by chance.
 */
import type { Moments } from "../../domain/coupling.js"
import { couplingThresholds } from "./thresholds.js"

const limits = couplingThresholds.conservation

/** One direction of a relay: x came in, y went out. */
export interface Direction {
  readonly n: number
  readonly meanIn: number
  readonly meanOut: number
  readonly totalIn: number
  readonly totalOut: number
  /** From the mean sizes: log2 of size over difference. 0 where the sizes are too small or too different to say. */
  readonly levelBits: number
  /** From how the sizes vary together over turns. Negative where they vary apart. 0 for constant sizes. */
  readonly variationBits: number
  /** Not a byte more or less went out than came in. */
  readonly exact: boolean
}

export function direction(m: Moments): Direction {
  const n = m.n
  const meanIn = n > 0 ? m.x / n : 0
  const meanOut = n > 0 ? m.y / n : 0
  return {
    n,
    meanIn,
    meanOut,
    totalIn: m.x,
    totalOut: m.y,
    levelBits: levelBits(meanIn, meanOut),
    variationBits: variationBits(m),
    exact: n > 0 && m.x === m.y && m.x >= limits.exactMinBytes && differenceVariance(m) < 1,
  }
}

function levelBits(meanIn: number, meanOut: number): number {
  const size = Math.max(meanIn, meanOut)
  if (size === 0) return 0
  return clamp(Math.log2(size / (Math.abs(meanIn - meanOut) + limits.framingSpreadBytes)), 0, limits.maxLevelBits)
}

/**
 * Turns of varying size whose difference does not vary: half a bit per turn for each halving of the standard deviation,
 * the log-likelihood ratio of a common cause against independence for normal sizes.
 */
function variationBits(m: Moments): number {
  if (m.n < 2) return 0
  const varIn = variance(m.n, m.x, m.xx)
  const varOut = variance(m.n, m.y, m.yy)
  const bits = (m.n - 1) * 0.5 * Math.log2((1 + (varIn + varOut) / 2) / (1 + differenceVariance(m)))
  return clamp(bits, -limits.maxVariationBits, limits.maxVariationBits)
}

function differenceVariance(m: Moments): number {
  return variance(m.n, m.y - m.x, m.xx + m.yy - 2 * m.xy)
}

function variance(n: number, sum: number, squares: number): number {
  return n > 1 ? Math.max(0, (squares - (sum * sum) / n) / (n - 1)) : 0
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/**
 * A relay takes framing off on the way in and puts it on on the way out, so that it never writes more inside than came in
 * nor sends less outside than came back. A program that answers "ok" to a message, or wraps it into a statement, does.
 * `slack` is a share of the total, for bytes that are still under way.
 */
export function framingOnTheOutside(forward: Direction, backward: Direction, slack: number): boolean {
  return (
    forward.totalOut <= forward.totalIn * (1 + slack) + limits.framingSpreadBytes &&
    backward.totalOut >= backward.totalIn * (1 - slack) - limits.framingSpreadBytes
  )
}
