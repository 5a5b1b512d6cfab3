import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nearest } from "./nearest.js"

describe("nearest", () => {
  const known = ["listen", "store", "state", "inside", "outside"]

  it.each([
    ["listn", "listen"],
    ["listne", "listen"],
    ["liisten", "listen"],
    ["lisden", "listen"],
    ["Store", "store"],
    ["outsid", "outside"],
    ["kafka", undefined],
    ["x", undefined],
    ["", undefined],
  ])("of %j is %s", (name, expected) => {
    expect(nearest(name, known)).toBe(expected)
  })

  it("takes three edits for a spelling, and four for another word", () => {
    expect(nearest("kitten", ["sitting"])).toBe("sitting")
    expect(nearest("kitten", ["spitting"])).toBeUndefined()
  })

  it("takes a swap of neighbours for one edit, not two", () => {
    expect(nearest("wran", ["wrong", "warn"])).toBe("warn")
  })

  it("takes at most half of a short name for misspelt", () => {
    expect(nearest("ox", ["on"])).toBe("on")
    expect(nearest("no", ["xy"])).toBeUndefined()
  })

  it("of a name that is known is that name", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 })
    fc.assert(
      fc.property(name, fc.array(name), (one, others) => {
        expect(nearest(one, [...others, one])).toBe(one)
      }),
    )
  })
})
