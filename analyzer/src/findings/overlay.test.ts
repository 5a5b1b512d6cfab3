import { describe, expect, it } from "vitest"
import type { Claim } from "../domain/detector.js"
import { policy } from "../policy/policy.js"
import { aBatch } from "../testing/batches.js"
import { anUpdate } from "../testing/connections.js"
import { aClaim } from "../testing/findings.js"
import { at } from "../testing/time.js"
import { aTracker } from "../testing/trackers.js"
import { FindingTracker } from "./finding-tracker.js"

const nothing = policy({ approved: [], suppressed: [], denied: [] })

/** The finding of a claim about a connection that was seen so. */
function findingOf(changes: Parameters<typeof anUpdate>[0], claim: Claim = aClaim()) {
  const state = aTracker()
  const applied = [...state.apply(aBatch(1, { observedUs: at(0), connections: [anUpdate(changes)] }))]
  const [finding] = new FindingTracker(nothing).advance([claim], state, at(0))
  return { applied, finding, overlay: finding?.evidence.find(({ kind }) => kind === "overlay") }
}

describe("a finding about an overlay", () => {
  it.each([
    ["a shared address", "100.64.7.9", "beyond", /100\.64\.7\.9:443 is a shared address/],
    ["a shared address behind a tunnel", "100.64.7.9", "tunnel", /is a shared address/],
    [
      "a private network behind a tunnel",
      "10.9.9.9",
      "tunnel",
      /10\.9\.9\.9:443 is a private address .* tunnel device/,
    ],
    ["a place that a proxy reaches", "10.9.9.9", "proxy", /10\.9\.9\.9:443 is a proxy inside/],
    ["a place that a proxy of a shared address reaches", "100.64.7.9", "proxy", /is a proxy inside/],
  ] as const)("says so of %s", (_, address, route, text) => {
    const { finding, overlay } = findingOf({ remote: { address, port: 443 }, route })
    expect(overlay?.text).toMatch(text)
    expect(overlay?.facts).toEqual({ remote: `${address}:443`, route })
    expect(finding?.summary).toMatch(/\. The far side is in an overlay\.$/)
  })

  it.each([
    ["outside", { remote: { address: "203.0.113.9", port: 443 }, route: "tunnel" as const }],
    ["inside", { remote: { address: "10.9.9.9", port: 443 }, route: "onward" as const }],
    ["what connected from there", { remote: { address: "100.64.7.9", port: 443 }, initiator: "remote" as const }],
  ])("says nothing of %s", (_, changes) => {
    const { finding, overlay } = findingOf(changes)
    expect(finding).toBeDefined()
    expect(overlay).toBeUndefined()
    expect(finding?.summary).not.toContain("overlay")
  })

  it("says it still when the connection is known no longer", () => {
    const state = aTracker()
    const findings = new FindingTracker(nothing)
    const remote = { address: "100.64.7.9", port: 443 }
    const opened = [...state.apply(aBatch(1, { observedUs: at(0), connections: [anUpdate({ remote })] }))]
    findings.advance([aClaim()], state, at(0))
    const closing = anUpdate({ remote, reason: "closed", observedUs: at(1) })
    const closed = [...state.apply(aBatch(2, { observedUs: at(1), connections: [closing] }))]
    const later = [...state.apply(aBatch(3, { observedUs: at(120) }))]
    expect([opened.length, closed.length, later.length, state.connection(closing.cookie)]).toEqual([1, 1, 0, undefined])
    const [finding] = findings.advance([aClaim({ score: 0.9, lastSeenUs: at(120) })], state, at(120))
    expect(finding?.evidence.map(({ kind }) => kind)).toContain("overlay")
  })
})
