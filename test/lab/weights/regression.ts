/**
 * Logistic regression in bits: log2 of the odds is an intercept and the sum of each observation's bits times a factor. Convex,
 * so that there is one answer, and nothing in it is random. Pure numbers.
 */

/** One scenario: is it malicious, and the value of each column. */
export interface Row {
  readonly isPositive: boolean
  readonly values: readonly number[]
}

/** What is believed of a coefficient before anything was seen: a normal distribution, cut off below `min`. */
export interface Prior {
  readonly mean: number
  readonly deviation: number
  readonly min: number
}

export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** Half of the 95 % quantile of chi-squared with one degree of freedom: what the log-likelihood may fall by within the interval. */
const allowedFall = 1.9207
const maxSweeps = 2_000
/** A coefficient that moves by less in a whole sweep has arrived. */
const tolerance = 1e-7

/** The coefficients that are likeliest after the rows were seen. Those of `fixed` stay as they are given. */
export function fit(
  rows: readonly Row[],
  priors: readonly Prior[],
  fixed: ReadonlyMap<number, number> = new Map(),
): number[] {
  const coefficients = priors.map(({ mean }, i) => fixed.get(i) ?? mean)
  const bits = rows.map((row) => logOdds(row, coefficients))
  const free = priors.flatMap((prior, column) => (fixed.has(column) ? [] : [{ prior, column }]))
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    let moved = 0
    for (const { prior, column } of free) {
      const before = coefficients[column] ?? 0
      const after = Math.max(prior.min, before + newtonStep(rows, bits, column, before, prior))
      for (const [i, row] of rows.entries()) bits[i] = (bits[i] ?? 0) + (after - before) * (row.values[column] ?? 0)
      coefficients[column] = after
      moved = Math.max(moved, Math.abs(after - before))
    }
    if (moved < tolerance) break
  }
  return coefficients
}

/**
 * Newton's method in one coordinate. Where all is certain the curvature vanishes before the slope does: the prior's is always
 * there, and a step is no longer than its deviation.
 */
function newtonStep(rows: readonly Row[], bits: readonly number[], column: number, at: number, prior: Prior): number {
  const precision = 1 / (prior.deviation * prior.deviation)
  let slope = (prior.mean - at) * precision
  let curvature = precision
  for (const [i, { isPositive, values }] of rows.entries()) {
    const x = (values[column] ?? 0) * Math.LN2
    if (x === 0) continue
    const p = probability(bits[i] ?? 0)
    slope += x * ((isPositive ? 1 : 0) - p)
    curvature += x * x * p * (1 - p)
  }
  return Math.max(-prior.deviation, Math.min(prior.deviation, slope / curvature))
}

/**
 * Each coefficient with the interval within which the likelihood, prior included and the others fitted anew, is not lower by
 * more than chance allows (profile likelihood, 95 %): right for few rows, and at a bound.
 */
export function fitWithIntervals(rows: readonly Row[], priors: readonly Prior[]): Interval[] {
  const best = fit(rows, priors)
  const top = posterior(rows, priors, best)
  return priors.map((prior, column) => {
    const value = best[column] ?? 0
    const isWithin = (at: number): boolean =>
      posterior(rows, priors, fit(rows, priors, new Map([[column, at]]))) >= top - allowedFall
    return {
      value,
      low: edge(value, -prior.deviation, prior.min, isWithin),
      high: edge(value, prior.deviation, Number.POSITIVE_INFINITY, isWithin),
    }
  })
}

/** How far one can go from `from` in steps of `step`, never beyond `limit`; to a hundredth of a step. */
function edge(from: number, step: number, limit: number, isWithin: (at: number) => boolean): number {
  const within = (at: number): number => (step < 0 ? Math.max(at, limit) : Math.min(at, limit))
  let [inner, outer] = [from, within(from + step)]
  while (isWithin(outer)) {
    if (outer === limit) return limit
    ;[inner, outer] = [outer, within(outer + step)]
  }
  while (Math.abs(outer - inner) > Math.abs(step) / 100) {
    const middle = (inner + outer) / 2
    if (isWithin(middle)) inner = middle
    else outer = middle
  }
  return inner
}

export function logOdds({ values }: Row, coefficients: readonly number[]): number {
  return values.reduce((sum, x, i) => sum + x * (coefficients[i] ?? 0), 0)
}

export function probability(bits: number): number {
  return 1 / (1 + 2 ** -bits)
}

/** log2 of the odds against what happened turned to what it costs: bits by which one is surprised. Exact for large ones too. */
export function surprise(bits: number, isPositive: boolean): number {
  const against = isPositive ? -bits : bits
  return against > 50 ? against : Math.log2(1 + 2 ** against)
}

/** Natural logarithm, up to a constant. */
function posterior(rows: readonly Row[], priors: readonly Prior[], coefficients: readonly number[]): number {
  const likelihood = rows.reduce((sum, row) => sum - surprise(logOdds(row, coefficients), row.isPositive), 0)
  const belief = priors.reduce((sum, { mean, deviation }, i) => {
    const away = ((coefficients[i] ?? 0) - mean) / deviation
    return sum - (away * away) / 2
  }, 0)
  return likelihood * Math.LN2 + belief
}
