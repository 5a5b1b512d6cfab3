import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FairRate } from "./fair-rate.js"

const windowUs = 60_000_000
const aRate = (perWindow = 128) => new FairRate({ windowUs, perWindow })
const admitted = (rate: FairRate, account: string, count: number, part?: number) =>
  Array.from({ length: count }, () => rate.admit(account, 1, part)).filter(Boolean).length

describe("a rate that accounts share", () => {
  it("gives one half at most, and all of it anew in the next window", () => {
    const rate = aRate()
    expect(admitted(rate, "loud", 1_000)).toBe(64)
    expect(rate.admit("loud", windowUs)).toBe(false)
    expect(rate.admit("loud", 1 + windowUs)).toBe(true)
  })

  it("keeps some for who comes when it is used up", () => {
    const rate = aRate()
    expect(admitted(rate, "a", 1_000) + admitted(rate, "b", 1_000)).toBe(128)
    expect(admitted(rate, "late", 1_000)).toBe(2)
  })

  it("refuses of one account the lesser before the graver, in whatever order they come", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0.5, 0.7, 1), { minLength: 200, maxLength: 400 }), (parts) => {
        const rate = aRate()
        const refused = parts.filter((part) => !rate.admit("one", 1, part))
        for (const part of refused)
          for (const lesser of [0.5, 0.7].filter((other) => other < part))
            expect(rate.hasRoom("one", 1, lesser)).toBe(false)
      }),
    )
  })

  it("never holds more than twice its limit, however many accounts there are", () => {
    const rate = aRate()
    const all = Array.from({ length: 5_000 }, (_, i) => admitted(rate, `account ${i}`, 10))
    expect(all.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(256)
  })
})
