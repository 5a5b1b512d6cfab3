import { describe, expect, it } from "vitest"
import { LiveFindings, defaultLiveFindingsLimits } from "../live/live-findings.js"
import { LiveOutbound } from "./outbound.js"
import { Overviews } from "./overview.js"
import { theStore } from "../../testing/page.js"
import { evictedBy, nothingEvicted } from "../../domain/evicted.js"
import { nothingLost } from "../../domain/lost.js"
import type { AnalyzerStatus, AlertStatus } from "../../telemetry/status.js"
import { startUs } from "../../testing/time.js"
import { aHost } from "../../testing/hosts.js"
import { aView } from "../../testing/trackers.js"
import { aShare, aStatus, aSession, anAlertStatus, unproven } from "../../testing/status.js"

function overviews(states: AnalyzerStatus[], alerts: readonly AlertStatus[] = []): Overviews {
  let last = aStatus()
  const ports = {
    isListening: () => true,
    analyzer: () => (last = states.shift() ?? last),
    queries: theStore(),
    alerts: () => alerts,
    nowUs: () => startUs,
  }
  const outbound = new LiveOutbound({
    views: () => [],
    findingOf: () => undefined,
    nowUs: () => startUs,
    monotonicMs: () => 0,
  })
  return new Overviews({
    version: "0.1.0",
    startedUs: startUs,
    ports,
    live: new LiveFindings(defaultLiveFindingsLimits),
    outbound,
  })
}

const session = aSession({ lost: nothingLost })
const hostStatus = {
  view: aView([]),
  lastReceivedUs: startUs,
  counts: { liveConnections: 7, evicted: nothingEvicted },
  share: aShare(),
  proofs: unproven,
}
const fine = aStatus({ streams: 1, sessions: [session], hosts: [hostStatus] })
const problems = (state: AnalyzerStatus, alerts?: readonly AlertStatus[]) => overviews([state], alerts).now().problems
const written = (written: number, failures: number, waiting = 0) =>
  aStatus({ ...fine, deliveries: [{ sink: "store", counts: { written, failures, shed: 0, waiting } }] })

describe("problems", () => {
  it("are none when all is well", () => {
    expect(problems(fine, [anAlertStatus()])).toEqual([])
  })

  it.each([
    ["no collector", aStatus(), /No collector/],
    ["one that left", { ...fine, sessions: [{ ...session, connected: false }] }, /build-7 is disconnected/],
    [
      "one of which something was given up",
      { ...fine, hosts: [{ ...hostStatus, counts: { liveConnections: 7, evicted: evictedBy({ finding: 3 }) } }] },
      /Of build-7 the analyzer forgot 3 findings/,
    ],
    [
      "one that is silent",
      { ...fine, hosts: [{ ...hostStatus, lastReceivedUs: startUs - 90e6 }] },
      /connected but silent for 1 minute\./,
    ],
    ["what it lost", { ...fine, sessions: [aSession({ lost: { ...nothingLost, ringExec: 4 } })] }, /lost 4 program starts/], // prettier-ignore
    ["one that is blind", { ...fine, hosts: [{ ...hostStatus, proofs: { ...unproven, blind: { sinceUs: startUs, reason: "it was not found within 2 s" } } }] }, /build-7 is blind: it was not found within 2 s/], // prettier-ignore
    ["what its kernel lacks", { ...fine, hosts: [{ ...hostStatus, view: aView([], [], aHost({ degraded: [{ feature: "x", consequence: "y" }] })) }] }, /lacks x: y/], // prettier-ignore
    ["what was not believed", { ...fine, rejected: [["time", 3]] as const }, /^3 records/],
    [
      "who takes more than its share",
      { ...fine, hosts: [{ ...hostStatus, share: aShare({ isDelayed: true }) }] },
      /^build-7 sends more than its share/,
    ],
    [
      "a clock that is ahead",
      { ...fine, sessions: [aSession({ clockAheadUs: 3_700e6 })] },
      /^The clock of build-7 is 1 hour ahead/,
    ],
    [
      "what is not followed, the busiest first",
      {
        ...fine,
        sessions: [
          aSession({
            unfollowed: [
              { what: "the vxlan device v0 in network namespace 5", process: undefined, bytes: 0, lastUs: startUs },
              { what: "packet sockets", process: "7:1", bytes: 840, lastUs: startUs },
            ],
          }),
        ],
      },
      /^On build-7 is what Backflow does not follow: packet sockets of .+, 840 B, the vxlan device v0 in network namespace 5\.$/,
    ],
    ["a store that is slow", written(1, 0, 500), /^store: 500 outputs wait/],
    ["a store that fails", written(1, 2, 3), /^store: Writes failed, retrying/],
  ] satisfies [string, AnalyzerStatus, RegExp][])("tell of %s, with a remedy", (_, state, words) => {
    const [first] = problems(state)
    expect(first?.text).toMatch(words)
    expect(first?.remedy).toMatch(/^\S.+[.?]$/)
  })

  it.each([
    [
      "a broker that is away",
      anAlertStatus({ condition: { state: "failing", text: "No broker answers. Bring it back." } }),
      "warning",
    ],
    ["an outbox that fills", anAlertStatus({ bytes: 800_000, condition: { state: "failing", text: "" } }), "error"],
    ["alerts that wait long", anAlertStatus({ depth: 2, oldestSeconds: 40 }), "warning"],
    ["alerts that were dropped", anAlertStatus({ shed: { info: 0, low: 0, medium: 7, high: 1, critical: 0 } }), "warning"], // prettier-ignore
    ["alerts that were refused", anAlertStatus({ refused: 1 }), "warning"],
  ])("tell of %s", (_, alert, severity) => {
    const [first] = problems(fine, [alert])
    expect(first).toMatchObject({ severity, text: expect.stringMatching(/^kafka: /) as string })
    expect(first?.remedy).not.toBe("")
  })

  it("name what was dropped of alerts once, by severity", () => {
    const shed = { info: 0, low: 2, medium: 1_629, high: 0, critical: 0 }
    const { sinks, problems: found } = overviews([fine], [anAlertStatus({ shed, errors: 5 })]).now()
    expect(sinks).toMatchObject([{ name: "kafka", shed: 1_631, failures: 5 }])
    expect(found.map(({ text }) => text)).toEqual([
      "kafka: 1631 alerts were dropped for lack of room (1629 medium, 2 low).",
    ])
  })

  it("put errors first", () => {
    const state = { ...written(1, 2, 3), rejected: [["time", 3]] as const }
    expect(problems(state).map(({ severity }) => severity)).toEqual(["error", "warning"])
  })
})

describe("a sink", () => {
  it("is well again when a write succeeded after one that failed", () => {
    const look = overviews([written(5, 1, 2), written(5, 2, 2), written(6, 2)])
    expect([look.now(), look.now(), look.now()].map(({ sinks }) => sinks[0]?.condition.state)).toEqual([
      "failing",
      "failing",
      "ok",
    ])
  })
})

describe("hosts", () => {
  it("are listed with their losses over all runs of their collector", () => {
    const lossy = aSession({ lost: { ...nothingLost, ringExec: 1 } }, { connected: false })
    const { hosts, liveConnections } = overviews([{ ...fine, sessions: [session, lossy, lossy] }]).now()
    expect(liveConnections).toBe(7)
    expect(hosts).toMatchObject([{ name: "build-7", connected: true, lost: [{ kind: "ringExec", count: 2 }] }])
  })

  it("leave out a boot that is over", () => {
    const before = { ...hostStatus, view: aView([], [], aHost({ bootId: "0b5e55ed-0000-4000-8000-000000000000" })) }
    expect(overviews([{ ...fine, hosts: [before, hostStatus] }]).now().hosts).toHaveLength(1)
  })
})
