import { describe, expect, it } from "vitest"
import type { Sample } from "./samples.js"
import { weightsMarkdown } from "./table.js"
import { halfOf, weights } from "./weigh.js"

function sample(name: string, kind: Sample["kind"], observations: Readonly<Record<string, number>>): Sample {
  const bits = Object.values(observations).reduce((sum, of) => sum + of, 0)
  const level = bits >= 10 ? "high" : bits >= 6 ? "medium" : bits >= 3 ? "note" : "none"
  return { name, kind, level, isByRole: false, isKeptOpen: false, bits, observations, counts: {} }
}

/**
 * Forty scenarios of each kind in which sizes tell all, and `waited` is as frequent in both: six bits for what says nothing.
 */
const played = Array.from({ length: 40 }, (_, i) => [
  sample(`relay ${i}`, "malicious", { backwardSizes: i % 8 === 0 ? -1 : 6, ...(i % 2 === 0 ? { waited: 6 } : {}) }),
  sample(`client ${i}`, "benign", { backwardSizes: i % 8 === 0 ? 6 : -1, ...(i % 2 === 0 ? { waited: 6 } : {}) }),
]).flat()

/** As a replay with other weights: each observation times its factor. */
const withFactors = (factors: ReadonlyMap<string, number>) =>
  played.map(({ name, kind, observations }) =>
    sample(
      name,
      kind,
      Object.fromEntries(Object.entries(observations).map(([of, bits]) => [of, bits * (factors.get(of) ?? 1)])),
    ),
  )

describe("weights", () => {
  const found = weights(withFactors)
  const worthOf = (name: string) => found.worth.find(({ observation }) => observation === name)

  it("are little where both kinds show the same, in both halves", () => {
    const waited = worthOf("waited")
    expect(waited?.halves.map(({ high }) => high < 1)).toEqual([true, true])
    expect(waited?.malicious).toEqual({ count: 20, meanBits: 6 })
    expect(worthOf("backwardSizes")?.all.low).toBeGreaterThan(0.2)
  })

  it("stay what they are where nothing was seen", () => {
    expect(worthOf("own")?.all.value).toBe(1)
  })

  it("are tried on the half that they were not fitted on", () => {
    const firsts = played.filter((one) => halfOf(one) === 1)
    const [present, fitted] = found.trials
    expect(present).toMatchObject({ weights: "as they are", half: 1 })
    expect((present?.malicious ?? 0) + (present?.benign ?? 0)).toBe(firsts.length)
    expect(fitted?.logLoss).toBeLessThan(present?.logLoss ?? 0)
    expect(fitted?.reached.medium.falseAlarms.count).toBeLessThan(present?.reached.medium.falseAlarms.count ?? 0)
    expect(fitted?.calibration.reduce((sum, { count }) => sum + count, 0)).toBe(firsts.length)
  })

  it("leave out what an SSH client's role decides", () => {
    const role = { ...sample("ssh -R", "malicious", { backwardSizes: 14 }), isByRole: true }
    const withRole = weights((factors) => [...withFactors(factors), role])
    expect(withRole.byRole).toEqual([role])
    expect(withRole.worth).toEqual(found.worth)
  })

  it("are told in words", () => {
    const text = weightsMarkdown(found)
    expect(text).toMatch(/\| waited \| 2\.5 each, 0 to 7 \|.*\| 20, 6\.0 \| 20, 6\.0 \| says less \|/)
    expect(text).toMatch(/\| own \|.*\| - \| - \| too little seen \|/)
  })
})

describe("halfOf", () => {
  it("goes by the name alone, and parts what there is in two", () => {
    const names = Array.from({ length: 400 }, (_, i) => `scenario ${i}`)
    const firsts = names.filter((name) => halfOf({ name }) === 1)
    expect(firsts.length).toBeGreaterThan(160)
    expect(firsts.length).toBeLessThan(240)
  })
})
