import { describe, expect, it } from "vitest"
import type { Outcome, Sighting } from "./outcome.js"
import { afterUseMs, percentile, rate, score } from "./score.js"

const sighting = (changes: Partial<Sighting> = {}): Sighting => ({
  class: "reverse_tunnel",
  severity: "high",
  exe: "/usr/bin/ssh",
  argv: ["ssh"],
  summary: "",
  atUs: 2_000_000,
  connectedUs: 500_000,
  ...changes,
})
const outcome = (changes: Partial<Outcome> = {}): Outcome => ({
  name: "case",
  family: "family",
  kind: "malicious",
  startUs: 0,
  endUs: 3_000_000,
  pids: [1],
  ...changes,
})

describe("rate", () => {
  // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("has Wilson's bounds: %d of %d", (count, of, low, high) => {
    const result = rate(count, of)
    expect([result.low, result.high]).toEqual([expect.closeTo(low, 3), expect.closeTo(high, 3)])
  })

  it("of nothing says nothing", () => {
    expect(rate(0, 0)).toMatchObject({ low: 0, high: 1 })
  })
})

it("takes the nearest rank as percentile", () => {
  expect([percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 0.99), percentile([], 0.5)]).toEqual([2, 3, undefined])
})

describe("score", () => {
  const right = sighting()
  const found = outcome({ firstUs: 1_000_000, alert: sighting({ atUs: 900_000 }), right, isProcessRight: true })

  it("takes the latency of the finding that the case is about, not of an earlier one", () => {
    expect(afterUseMs(found)).toBe(1_000)
    expect(afterUseMs(outcome({ firstUs: 1_000_000, alert: sighting({ atUs: 900_000 }) }))).toBe(0)
  })

  it("counts class and process of what was found, and nothing that was not played", () => {
    const wrong = outcome({ alert: sighting({ class: "tunnel_intent" }) })
    const all = [
      found,
      wrong,
      outcome(),
      outcome({ failed: "it" }),
      outcome({ skipped: "it" }),
      outcome({ kind: "benign" }),
    ]
    expect(score(all)).toMatchObject({
      recall: { count: 2, of: 3 },
      classes: { count: 1, of: 2 },
      processes: { count: 1, of: 1 },
      falseAlarms: { count: 0, of: 1 },
      failed: 1,
      skipped: 1,
    })
  })
})
