import { describe, expect, it } from "vitest"
import { lossLines, totalLost } from "./losses.js"

const nothing = {
  ringConnection: 0,
  ringExec: 0,
  ringExit: 0,
  mapSocket: 0,
  mapEdge: 0,
  shedInterim: 0,
  shedFinal: 0,
  rejected: 0,
}

describe("lossLines", () => {
  it("says nothing when nothing was lost", () => {
    expect(lossLines(nothing)).toEqual([])
  })

  it("names each kind with its number and what to do", () => {
    expect(lossLines({ ...nothing, ringConnection: 7, shedFinal: 2 })).toEqual([
      "lost 7 connection records for which the ring buffer had no room (raise --ring-bytes)",
      "lost 2 final records shed while the analyzer was away or slow (raise --buffer-bytes)",
    ])
  })
})

describe("totalLost", () => {
  it("adds all kinds", () => {
    expect(totalLost({ ...nothing, ringExec: 3, mapEdge: 4 })).toBe(7)
    expect(totalLost(undefined)).toBe(0)
  })
})
