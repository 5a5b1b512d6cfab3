import { beforeEach, describe, expect, it } from "vitest"
import { blinding } from "./blinding.js"
import { nothingLost } from "../../domain/lost.js"
import type { Overload, OverloadKind } from "../../domain/overload.js"
import { anOverload } from "../../testing/overloads.js"
import { aChild, aProcess, keyOf } from "../../testing/processes.js"
import { at } from "../../testing/time.js"
import { DetectorRun } from "../../testing/trackers.js"

const flooder = aProcess(["/tmp/flood", "edges"], { uid: 65_534 })

let host: DetectorRun
beforeEach(() => {
  host = new DetectorRun(blinding())
  host.step(at(0), { processes: [flooder] })
})

/** A batch at this second in which the running total stands at `count`. */
const excess = (second: number, count: number, changes: Partial<Overload> = {}, parts = {}) =>
  host.step(at(second), { overloads: [anOverload({ count, lastUs: at(second), ...changes })], ...parts })

/** `perSecond` of the kind for so many seconds, told each second; the claims of all of them. */
const work = (kind: OverloadKind, perSecond: number, seconds: number, from = 1) =>
  Array.from({ length: seconds }, (_, i) => excess(from + i, perSecond * (i + 1), { kind, firstUs: at(from) })).flat()

describe("a flood", () => {
  it("of places inside is high, names its process, and says what was not seen", () => {
    const claims = work("edges", 25_000, 15)
    expect(claims.at(-1)).toMatchObject({
      class: "blinding",
      process: "4711:1",
      score: 0.8,
      status: "active",
      attack: ["T1562", "T1562.006"],
      summary:
        "flood (pid 4711, uid 65534) on build-7 flooded the collector: it dialled 375,000 places inside in 14 seconds beyond the 1,024 that are told apart.",
    })
    expect(claims.at(-1)?.evidence).toMatchObject([
      { kind: "overload", facts: { overload: "edges", beyond: 375_000, limit: 1_024, peak_per_10_seconds: 250_000 } },
    ])
    expect(claims.at(-1)?.evidence[0].text).toContain("reached from outside is not seen one by one")
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(1)
  })

  it.each<[OverloadKind, number]>([
    ["groups", 2_500],
    ["descriptors", 2_000_000],
    ["records", 4_000],
  ])("of %s is high at %d a second", (kind, perSecond) => {
    expect(work(kind, perSecond, 12).at(-1)).toMatchObject({ score: 0.8, process: "4711:1" })
  })

  it("that is short repeats itself into a high one", () => {
    const scores = [0, 300, 600].map((second, i) => excess(second + 1, 40_000 * (i + 1))[0]?.score)
    expect(scores).toEqual([0.3, 0.3, 0.8])
  })

  it("during which others' records are lost wakes a person", () => {
    expect(excess(1, 40_000)).toMatchObject([{ score: 0.3 }])
    const [claim] = excess(2, 40_100, {}, { lost: { ...nothingLost, ringExec: 900, mapEdge: 100 } })
    expect(claim).toMatchObject({ score: 0.6, evidence: [{ kind: "overload" }, { kind: "records-lost", facts: { lost: 1_000 } }] }) // prettier-ignore
  })

  it("of several kinds is one, with a line of evidence for each", () => {
    excess(1, 150_000)
    const [claim] = excess(2, 30_000, { kind: "records" })
    expect(claim?.evidence.map(({ facts }) => facts["overload"])).toEqual(["edges", "records"])
    expect(claim?.summary).toContain(
      "places inside in 1 second beyond the 1,024 that are told apart, and 30,000 records",
    )
  })

  it("is one for all that comes from one root, and shows the topmost that floods", () => {
    const processes = [aChild(1), aChild(2, 1), aChild(3, 2), aChild(4, 1)]
    host.step(at(0), { processes })
    const [first] = excess(1, 150_000, { process: keyOf(3) })
    expect(first?.process).toBe(keyOf(3))
    const [second] = excess(2, 10, { process: keyOf(2) })
    expect(second).toMatchObject({ subject: first?.subject, process: keyOf(2) })
    const [third] = excess(3, 10, { process: keyOf(4) })
    expect(third).toMatchObject({ subject: first?.subject, process: keyOf(2) })
    expect(third?.summary).toContain("p2 (pid 2, uid 1000) and 2 others of its lineage on build-7")
  })

  it("that comes from ever new roots of one user is a handful", () => {
    const pids = Array.from({ length: 100 }, (_, i) => 100 + i)
    host.step(at(0), { processes: pids.map((pid) => aChild(pid)) })
    const claims = pids.flatMap((pid) => excess(1, 150_000, { process: keyOf(pid) }))
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(4)
  })

  it("is closed some minutes after the last excess, once", () => {
    excess(1, 150_000)
    expect(host.step(at(300))).toEqual([])
    expect(host.step(at(301))).toMatchObject([{ status: "ended", score: 0.8, lastSeenUs: at(1) }])
    expect(host.step(at(900))).toEqual([])
  })

  it("that begins again goes on as the same finding, with amounts of its own", () => {
    const [first] = excess(1, 150_000)
    host.step(at(400))
    const [again] = excess(500, 270_000)
    expect(again).toMatchObject({ subject: first?.subject, status: "active" })
    expect(again?.evidence[0].facts).toMatchObject({ beyond: 120_000, peak_per_10_seconds: 120_000 })
  })

  it("by nobody that is known is told without a process", () => {
    expect(excess(1, 30_000, { kind: "records", process: undefined })).toMatchObject([{ score: 0.8, process: undefined }]) // prettier-ignore
  })

  it("is not counted twice for a total that is sent again", () => {
    excess(1, 60_000)
    expect(excess(2, 60_000)).toEqual([])
    expect(excess(1, 10)).toEqual([])
    expect(excess(3, 60_001)[0]?.evidence[0].facts).toMatchObject({ beyond: 60_001 })
  })

  it("is counted on when its total begins anew", () => {
    excess(1, 60_000)
    expect(excess(2, 50_000)[0]?.evidence[0].facts).toMatchObject({ beyond: 110_000, peak_per_10_seconds: 110_000 })
  })
})

/** The nearest ordinary programs; amounts beyond the bounds of the collector. */
describe("wakes nobody for", () => {
  it.each<[string, OverloadKind, number, number, number]>([
    ["a monitoring server that dials 2,000 targets every 15 s, each time anew", "edges", 120, 120, 0],
    ["a scan of every port of one host in 3 s", "edges", 21_800, 3, 0.3],
    ["a scan of a network for ten minutes", "edges", 5_000, 600, 0.3],
    ["a load test with 5,000 clients of its own", "groups", 150, 30, 0],
    ["xargs that starts 200 downloads a second", "groups", 200, 60, 0.3],
    ["ten databases with 20,000 descriptors each", "descriptors", 45_000, 300, 0],
    ["a proxy with 100,000 descriptors, visited each second", "descriptors", 40_000, 300, 0],
    ["a build that loses a record now and then", "records", 20, 120, 0],
    ["a burst at the start of a host", "records", 900, 1, 0.3],
  ])("%s", (_, kind, perSecond, seconds, highest) => {
    const scores = work(kind, perSecond, seconds).map(({ score }) => score)
    expect(Math.max(0, ...scores)).toBe(highest)
  })

  it("losses without a flood", () => {
    excess(1, 2_000)
    expect(host.step(at(2), { lost: { ...nothingLost, ringConnection: 50_000 } })).toEqual([])
  })

  it("losses long after one, and records that are only interim", () => {
    excess(1, 40_000)
    expect(host.step(at(3), { lost: { ...nothingLost, shedInterim: 9_000, rejected: 9_000 } })[0]?.score ?? 0.3).toBe(
      0.3,
    )
    const lost = { ...nothingLost, shedInterim: 9_000, rejected: 9_000, ringExec: 5_000 }
    expect(host.step(at(60), { lost })).toEqual([])
  })
})
