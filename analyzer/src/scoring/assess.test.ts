import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { findingClasses } from "../domain/finding-classes.js"
import { isGraver } from "../domain/severity.js"
import { assess } from "./assess.js"
import type { FindingClass } from "../domain/finding-classes.js"

const severityOf = (findingClass: FindingClass, score: number) =>
  assess({ class: findingClass, score, confidence: 1 }, []).severity

type Rated = Parameters<typeof assess>[1][number]

function rated(changes: Partial<Rated> = {}): Rated {
  return { class: "reverse_tunnel", detector: "x", score: 0.35, confidence: 0.5, lastSeenUs: 1, ...changes }
}

const strongest = (...classes: Rated["class"][]) => classes.map((one) => rated({ class: one, score: 1, confidence: 1 }))

describe("severity", () => {
  it.each([
    [0.1999, "info"],
    [0.2, "low"],
    [0.4999, "low"],
    [0.5, "medium"],
    [0.6999, "medium"],
    [0.7, "high"],
    [0.8999, "high"],
    [0.9, "critical"],
  ])("of %d is %s", (score, severity) => {
    expect(severityOf("reverse_shell", score)).toBe(severity)
  })

  it.each([
    ["reverse_tunnel", "high"],
    ["ssh_role_inversion", "high"],
    ["long_lived_ssh", "medium"],
    ["tunnel_intent", "medium"],
    ["inverted_flow", "low"],
    ["blinding", "high"],
  ] as const)("of %s is never above %s", (findingClass, highest) => {
    expect(severityOf(findingClass, 1)).toBe(highest)
  })
})

describe("assess", () => {
  it("leaves a claim that stands alone as it is", () => {
    expect(assess(rated(), [])).toEqual({ score: 0.35, confidence: 0.5, severity: "low", modifiers: [] })
  })

  it("says what raised the score, by how much, and from where", () => {
    const inverted = rated({ class: "inverted_flow", detector: "inverted-exchanges", score: 0.4, lastSeenUs: 7 })
    const { score, modifiers } = assess(rated(), [inverted])
    expect(score).toBe(0.428)
    expect(modifiers).toEqual([
      {
        kind: "raised",
        text: "Raised because the far side speaks first and is answered at once on the same connection or process.",
        atUs: 7,
        facts: { by: "inverted-exchanges", weight: 0.12, score_alone: 0.35 },
      },
    ])
  })

  it("counts a class once, by its strongest claim, and never its own", () => {
    const inverted = [0.1, 0.4, 0.2].map((score) => rated({ class: "inverted_flow", score }))
    expect(assess(rated(), inverted).score).toBe(0.428)
    expect(assess(rated({ class: "tunnel_intent" }), strongest("tunnel_intent")).score).toBe(0.35)
  })

  it("wakes nobody for a note that is only supported by how the connection behaves", () => {
    const behaviour = [rated({ class: "inverted_flow", score: 0.4 }), rated({ class: "long_lived_ssh", score: 0.6 })]
    expect(assess(rated({ score: 0.35 }), behaviour).severity).toBe("low")
  })

  it("lifts inverted exchanges to no more than low, whatever stands beside them", () => {
    const claim = rated({ class: "inverted_flow", score: 0.4 })
    expect(assess(claim, strongest(...findingClasses)).severity).toBe("low")
  })

  const anyRated = fc.record({
    class: fc.constantFrom(...findingClasses),
    detector: fc.constant("x"),
    score: fc.double({ min: -1, max: 2, noNaN: true }),
    confidence: fc.double({ min: -1, max: 2, noNaN: true }),
    lastSeenUs: fc.nat(),
  })

  it("stays in 0..1 and never falls for a stronger claim or more support", () => {
    fc.assert(
      fc.property(
        anyRated,
        fc.array(anyRated),
        anyRated,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (claim, peers, peer, more) => {
          const base = assess(claim, peers)
          for (const value of [base.score, base.confidence]) {
            expect(value).toBeGreaterThanOrEqual(0)
            expect(value).toBeLessThanOrEqual(1)
          }
          const supported = assess(claim, [...peers, peer])
          const stronger = assess({ ...claim, score: claim.score + more }, peers)
          expect(supported.score).toBeGreaterThanOrEqual(base.score)
          expect(stronger.score).toBeGreaterThanOrEqual(base.score)
          expect(isGraver(base.severity, supported.severity)).toBe(false)
          expect(isGraver(base.severity, stronger.severity)).toBe(false)
        },
      ),
    )
  })

  it("does not depend on the order of support", () => {
    fc.assert(
      fc.property(anyRated, fc.uniqueArray(anyRated, { selector: (one) => one.class }), (claim, peers) => {
        expect(assess(claim, peers.toReversed())).toEqual(assess(claim, peers))
      }),
    )
  })
})
