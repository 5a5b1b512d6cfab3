import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { editDistance, nearest } from "./nearest.js"

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["store", "store", 0],
    ["stor", "store", 1],
    ["adress", "address", 1],
    ["wran", "warn", 1],
    ["listne", "listen", 1],
    ["kitten", "sitting", 3],
  ])("from %j to %j is %d", (a, b, expected) => {
    expect(editDistance(a, b)).toBe(expected)
  })

  it("is symmetric and at most the longer length", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance === 0).toBe(a === b)
      }),
    )
  })
})

describe("nearest", () => {
  const known = ["listen", "store", "state", "inside", "outside"]

  it.each([
    ["listn", "listen"],
    ["Store", "store"],
    ["outsid", "outside"],
    ["kafka", undefined],
    ["x", undefined],
  ])("of %s is %s", (name, expected) => {
    expect(nearest(name, known)).toBe(expected)
  })
})
