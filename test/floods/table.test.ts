import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { floods } from "./catalogue.js"
import type { Flood } from "./catalogue.js"
import type { CanaryResult } from "./canaries.js"
import type { Measurement } from "./measure.js"
import { tables } from "./table.js"

const [flood = missing()] = floods
const relay: CanaryResult = {
  kind: "relay",
  when: "during",
  class: "reverse_tunnel",
  severity: "high",
  finding: "1",
  isProcessRight: true,
  seconds: 0.3,
}

function missing(): Flood {
  throw new Error("the catalogue is empty")
}

function aMeasurement(changes: Partial<Measurement> = {}): Measurement {
  return {
    flood,
    made: 380_000,
    floodSeconds: 15,
    canaries: [relay, { ...relay, when: "after" }],
    secondHost: { alone: [20, 21, 22], during: [25, 24, 26] },
    liveness: { slowestSeconds: 0.2, timeouts: 0, gapSeconds: 0.3 },
    collectorRssBytes: 30 * 1024 * 1024,
    analyzer: { cpuSeconds: 2, highestRssBytes: 400 * 1024 * 1024 },
    losses: {},
    findingsOnFlood: {},
    alerts: { findingsOfFlood: 0, alertsOfFlood: 0, canary: { position: 1, delaySeconds: 0.3 } },
    stopSeconds: 2,
    ...changes,
  }
}

/** Cells in bold: figures that miss their goal. */
const bold = (one: Measurement): readonly string[] => [...tables([one]).matchAll(/\*\*([^*]+)\*\*/g)].map(([, text = ""]) => text) // prettier-ignore

describe("the table of the floods", () => {
  it("has nothing in bold where every goal is met", () => {
    expect(bold(aMeasurement())).toEqual([])
  })

  it.each([
    ["a canary that was not found", { canaries: [{ ...relay, class: undefined, seconds: undefined, isProcessRight: false }] }, "relay: nothing"],
    ["one in the wrong process", { canaries: [{ ...relay, isProcessRight: false }] }, "relay: reverse_tunnel high, wrong process"],
    ["a late one", { canaries: [{ ...relay, seconds: 2.1 }] }, "high 2.1 s"],
    ["a second host that waits", { secondHost: { alone: [20], during: [40, 5_000, 40] } }, "2.0 (40 ms, worst none in 5 s / 20 ms)"],
    ["a slow probe", { liveness: { slowestSeconds: 1.2, timeouts: 0, gapSeconds: 1.3 } }, "1.20 s"],
    ["a probe without an answer", { liveness: { slowestSeconds: 5, timeouts: 3, gapSeconds: 17 } }, "3 time-outs, none for 17 s"],
    ["a stop that had to be a kill", { stopSeconds: undefined }, "over 40 s, killed"],
    ["a large collector", { collectorRssBytes: 338 * 1024 * 1024 }, "338 MB"],
    ["metrics that do not answer", { losses: undefined }, "/metrics silent"],
  ] as const)("has %s in bold", (_what, changes, text) => {
    expect(bold(aMeasurement(changes))).toEqual([text])
  }) // prettier-ignore
})

it("docs/limits.md has the figures of every flood", () => {
  const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "limits.md"), "utf8")
  const section = /<!-- floods table -->(.*)<!-- \/floods table -->/s.exec(page)?.[1] ?? ""
  const names = [...section.matchAll(/^\| ([a-z]+) +\|/gm)].map(([, name]) => name).filter((name) => name !== "flood")
  expect(names).toEqual([...floods, ...floods].map(({ name }) => name))
})
