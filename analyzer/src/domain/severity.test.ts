import { describe, expect, it } from "vitest"
import { compareSeverities, isAtLeast, isGraver, severities } from "./severity.js"

describe("severities", () => {
  it("sort from info to critical", () => {
    expect([...severities].reverse().sort(compareSeverities)).toEqual(["info", "low", "medium", "high", "critical"])
  })

  it.each(severities.map((severity, i) => [severity, i] as const))(
    "%s is graver than the %i before it",
    (severity, i) => {
      expect(severities.map((other) => isGraver(severity, other))).toEqual(severities.map((_, j) => j < i))
      expect(severities.map((other) => isAtLeast(severity, other))).toEqual(severities.map((_, j) => j <= i))
    },
  )
})
