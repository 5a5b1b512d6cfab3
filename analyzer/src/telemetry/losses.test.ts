import { describe, expect, it } from "vitest"
import { evictedBy, nothingEvicted } from "../domain/evicted.js"
import { evictedLines, lossLines } from "./losses.js"
import { nothingLost, totalLost } from "../domain/lost.js"

describe("lossLines", () => {
  it("says nothing when nothing was lost", () => {
    expect(lossLines(nothingLost)).toEqual([])
  })

  it("names each kind with its number and what to do", () => {
    expect(lossLines({ ...nothingLost, ringConnection: 7, shedFinal: 2 })).toEqual([
      "lost 7 connection records because the ring buffer was full (raise --ring-bytes)",
      "lost 2 final records dropped while the analyzer was unreachable or slow (raise --buffer-bytes)",
    ])
  })
})

describe("evictedLines", () => {
  it("says nothing when nothing was given up", () => {
    expect(evictedLines(nothingEvicted)).toEqual([])
  })

  it("names each kind with its number and the reason", () => {
    expect(evictedLines(evictedBy({ process: 7, heldFinding: 2 }))).toEqual([
      "forgot 7 processes because there are too many",
      "held back 2 findings, the least grave first, because too many began in one minute",
    ])
  })
})

describe("totalLost", () => {
  it("adds all kinds", () => {
    expect(totalLost({ ...nothingLost, ringExec: 3, mapEdge: 4 })).toBe(7)
    expect(totalLost(undefined)).toBe(0)
  })
})
