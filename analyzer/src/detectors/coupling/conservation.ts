/**
 * Byte conservation between what came in on one connection and what went out on another. Pure numbers: turns as moment
 * sums in, evidence in bits out: log2 of how much likelier the sizes are behind a relay than of two independent messages.
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
  /** From the mean sizes, once however many turns have them. */
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
  const exact = n > 0 && m.x === m.y && m.x >= limits.exactMinBytes && differenceVariance(m) < 1
  return {
    n,
    meanIn,
    meanOut,
    totalIn: m.x,
    totalOut: m.y,
    levelBits: levelBits(meanIn, meanOut, exact),
    variationBits: variationBits(m),
    exact,
  }
}

/**
 * Behind a relay the size out is the size in, or a few bytes off, or off by its framing; of independent messages the sizes
 * are log-uniform.
 */
function levelBits(meanIn: number, meanOut: number, exact: boolean): number {
  if (meanIn === 0 || meanOut === 0) return 0
  const difference = meanOut - meanIn
  const density = exact
    ? limits.exactShare
    : 0.5 * (headerDensity(difference) + framingDensity(difference, meanIn, meanOut))
  return clamp(Math.log2(limits.decades * meanOut * density), limits.levelBits)
}

function headerDensity(difference: number): number {
  const deviation = limits.headerDeviationBytes
  return Math.exp(-((difference / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI))
}

function framingDensity(difference: number, meanIn: number, meanOut: number): number {
  const byMessage = limits.framingBytes
  const byShare = limits.framingShare * Math.max(meanIn, meanOut)
  if (Math.abs(difference) <= byMessage) return 1 / (2 * byMessage)
  return Math.abs(difference) <= byShare ? 1 / (10 * byMessage) : 0
}

/**
 * Turns of varying size that differ by a constant, or by a factor and a constant (compression, an encoding): half a bit per
 * turn for each halving of the standard deviation, the log-likelihood ratio of a common cause against independence for
 * normal sizes.
 */
function variationBits(m: Moments): number {
  if (m.n < 2) return 0
  const varIn = variance(m.n, m.x, m.xx)
  const varOut = variance(m.n, m.y, m.yy)
  const rest = differenceVariance(m)
  const constant = (m.n - 1) * 0.5 * Math.log2((1 + (varIn + varOut) / 2) / (1 + rest))
  return clamp(Math.max(held(constant, rest, m), slopeBits(m, varIn, varOut)), limits.variationBits)
}

/** Framing varies by some per cent; what is left over by more than that has grown alike for a reason of its own. */
function held(bits: number, rest: number, m: Moments): number {
  const allowed = limits.framingSpreadBytes + (limits.restShare * m.y) / m.n
  return rest > allowed * allowed ? Math.min(bits, limits.restBits) : bits
}

function slopeBits(m: Moments, varIn: number, varOut: number): number {
  const together = (m.xy - (m.x * m.y) / m.n) / (m.n - 1)
  if (m.n < 3 || varIn < 1 || together <= 0) return Number.NEGATIVE_INFINITY
  const residual = Math.max(0, varOut - (together * together) / varIn)
  const bits = (m.n - 2) * 0.5 * Math.log2((1 + varOut) / (1 + residual)) - limits.slopeCostBits
  return Math.min(limits.slopeMaxBits, held(bits, residual, m))
}

function differenceVariance(m: Moments): number {
  return variance(m.n, m.y - m.x, m.xx + m.yy - 2 * m.xy)
}

function variance(n: number, sum: number, squares: number): number {
  return n > 1 ? Math.max(0, (squares - (sum * sum) / n) / (n - 1)) : 0
}

function clamp(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  return Math.min(max, Math.max(min, value))
}

/** What one direction says in all. `framing` is what a relay adds on the way (+1) or takes off (-1). */
export function sizeBits(
  { n, meanIn, meanOut, levelBits: level, variationBits: variation }: Direction,
  framing: 1 | -1,
): number {
  if (n === 0) return limits.noAnswerBits
  const against = (meanIn - meanOut) * framing > limits.framingSpreadBytes
  // Acknowledgements are alike by habit, and both grow by the digits of a running number.
  const isAcknowledgement = framing > 0 && meanIn < limits.acknowledgementBytes
  const together = against
    ? Math.min(level, limits.againstFramingBits) + Math.min(variation, limits.againstFramingBits)
    : level + variation
  const wayMax = framing < 0 ? limits.forwardMaxBits : limits.bits.max
  return clamp(together, { ...limits.bits, max: isAcknowledgement ? limits.acknowledgementMaxBits : wayMax })
}

/**
 * A relay takes framing off on the way in and puts it on on the way out, so that it never writes more inside than came in
 * nor sends less outside than came back, but for bytes that are still under way.
 */
export function framingOnTheOutside(forward: Direction, backward: Direction): boolean {
  return (
    forward.totalOut <= forward.totalIn * (1 + limits.slack) + limits.framingSpreadBytes &&
    backward.totalOut >= backward.totalIn * (1 - limits.slack) - limits.framingSpreadBytes
  )
}
