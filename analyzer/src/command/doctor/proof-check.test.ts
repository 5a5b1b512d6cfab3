import { describe, expect, it } from "vitest"
import { formatTime } from "../../text/rfc3339.js"
import { startUs } from "../../testing/time.js"
import type { HostProof } from "../../telemetry/status.js"
import { judge } from "./proof-check.js"

const hourUs = 3_600_000_000
const host = (changes: Partial<HostProof> = {}): HostProof => ({
  host: "build-7",
  hostId: "h",
  connected: true,
  lastProvenAt: formatTime(startUs),
  blind: null,
  ...changes,
})

describe("the check of proofs", () => {
  it.each([
    ["ok", "no host", []],
    ["ok", "one that was proven", [host()]],
    ["ok", "one that left, blind or not", [host({ connected: false, blind: "x" })]],
    ["degraded", "one that was never proven", [host(), host({ lastProvenAt: null })]],
    ["failing", "one that is blind", [host(), host({ blind: "it was not found within 2 s" })]],
  ] satisfies [string, string, HostProof[]][])("is %s for %s", (state, _, hosts) => {
    expect(judge(hosts, hourUs, startUs + 60e6).state).toBe(state)
  })

  it("fails for a proof that is older than the interval and what it may vary", () => {
    const stateAt = (us: number, intervalUs = hourUs) => judge([host()], intervalUs, startUs + us).state
    expect([stateAt(1.25 * hourUs), stateAt(1.26 * hourUs), stateAt(1.26 * hourUs, 0)]).toEqual(["ok", "failing", "ok"])
  })

  it("names the host, the age and the reason", () => {
    const outcome = judge([host({ blind: "it was not found within 2 s" })], hourUs, startUs + 120e6)
    expect(outcome.text).toBe("build-7 is blind (it was not found within 2 s) and was proven 2 minutes ago")
  })
})
