import { describe, expect, it } from "vitest"
import { fit, fitWithIntervals, logOdds, probability, surprise } from "./regression.js"
import type { Prior, Row } from "./regression.js"

const weak: Prior = { mean: 0, deviation: 10, min: Number.NEGATIVE_INFINITY }
const factor: Prior = { mean: 1, deviation: 1, min: 0 }

/** `positive` of `of` rows with these values are malicious. */
function rows(positive: number, of: number, ...values: readonly number[]): Row[] {
  return Array.from({ length: of }, (_, i) => ({ isPositive: i < positive, values: [1, ...values] }))
}

describe("fit", () => {
  it("finds the odds that the rows have", () => {
    const [intercept] = fit(rows(80, 100), [weak])
    expect(intercept).toBeCloseTo(2, 1)
  })

  it("finds what an observation is worth, where there is enough of it", () => {
    // Odds 1:1 without it, 8:1 with it: three bits, of which the present weight says six.
    const [intercept, worth] = fit([...rows(400, 800, 0), ...rows(800, 900, 6)], [weak, factor])
    expect(intercept).toBeCloseTo(0, 1)
    expect(worth).toBeCloseTo(0.5, 1)
  })

  it("keeps what is believed where nothing was seen", () => {
    expect(fit(rows(5, 10, 0), [weak, factor])[1]).toBe(1)
  })

  it("turns no sign, whatever the rows say", () => {
    expect(fit([...rows(400, 800, 0), ...rows(100, 900, 6)], [weak, factor])[1]).toBe(0)
  })

  it("ends where the rows are told apart without an error", () => {
    const [intercept = 0, worth = 0] = fit([...rows(0, 50, -4), ...rows(50, 50, 9)], [weak, factor])
    expect(worth).toBeGreaterThan(0.5)
    expect(worth).toBeLessThan(3)
    expect(Number.isFinite(intercept)).toBe(true)
  })

  it("leaves alone what is fixed", () => {
    expect(fit(rows(80, 100, 3), [weak, factor], new Map([[1, 0.25]]))[1]).toBe(0.25)
  })
})

describe("fitWithIntervals", () => {
  const of = (times: number) =>
    fitWithIntervals([...rows(4 * times, 8 * times, 0), ...rows(8 * times, 9 * times, 6)], [weak, factor])[1]

  it("is the narrower the more was seen", () => {
    const [few, many] = [of(2), of(200)]
    const width = (one: typeof few) => (one?.high ?? 0) - (one?.low ?? 0)
    expect(width(many)).toBeLessThan(width(few) / 3)
    expect(many?.low).toBeLessThan(0.5)
    expect(many?.high).toBeGreaterThan(0.5)
    expect(many?.high).toBeLessThan(0.6)
  })

  it("ends at a bound", () => {
    const worthless = fitWithIntervals([...rows(400, 800, 0), ...rows(450, 900, 6)], [weak, factor])[1]
    expect(worthless?.low).toBe(0)
    expect(worthless?.high).toBeLessThan(0.1)
  })
})

describe("surprise", () => {
  it("is a bit for even odds, little for what was expected, and what it costs for what was not", () => {
    expect(surprise(0, true)).toBe(1)
    expect(surprise(10, true)).toBeCloseTo(0.0014, 3)
    expect(surprise(-10, true)).toBeCloseTo(10, 2)
    expect(surprise(400, false)).toBe(400)
  })

  it("goes with the probability", () => {
    expect(surprise(3, true)).toBeCloseTo(-Math.log2(probability(3)))
    expect(logOdds({ isPositive: true, values: [1, 2] }, [3, 4])).toBe(11)
  })
})
