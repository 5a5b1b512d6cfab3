import { expect, it } from "vitest"
import type { CouplingCurve } from "../../contract.js"
import { busiestFirst, latest, totals } from "./curve.js"

function aCurve(channel: string, at: readonly number[], sums: readonly number[]): CouplingCurve {
  const of = (factor: number) => sums.map((sum) => sum * factor)
  return { channel, at, forwardIn: of(4), forwardOut: of(3), backwardIn: of(2), backwardOut: of(5) }
}

it("becomes columns in seconds, the last point of a moment alone", () => {
  expect(totals(aCurve("b", [1_000, 2_000, 2_000], [0, 1, 10]))).toEqual([
    [1, 2],
    [0, 40],
    [0, 30],
    [0, 20],
    [0, 50],
  ])
})

it("ends in its last totals, and is nothing where there is no point", () => {
  expect(latest(aCurve("b", [1, 2], [1, 10]))).toEqual({
    forwardIn: 40,
    forwardOut: 30,
    backwardIn: 20,
    backwardOut: 50,
  })
  expect(latest(aCurve("b", [], []))).toEqual({ forwardIn: 0, forwardOut: 0, backwardIn: 0, backwardOut: 0 })
})

it("stands before those through which less went", () => {
  const curves = [aCurve("quiet", [1], [1]), aCurve("busy", [1], [9]), aCurve("also quiet", [1], [1])]
  expect(busiestFirst(curves).map(({ channel }) => channel)).toEqual(["busy", "also quiet", "quiet"])
})
