import { describe, expect, it } from "vitest"
import type { Finding } from "../../domain/finding.js"
import { aFinding, idOf } from "../../testing/findings.js"
import { startMs, startUs } from "../../testing/time.js"
import type { ClosedBecause } from "./alert.js"
import { AlertLimiter } from "./limiter.js"

const minuteUs = 60e6

function make(max = 3) {
  const clock = { nowMs: startMs }
  const limiter = new AlertLimiter(max, () => clock.nowMs)
  /** Numbers of the findings that leave. */
  const offer = (from: number, count: number, changes: Partial<Finding> = {}, because?: ClosedBecause) =>
    Array.from({ length: count }, (_, i) => from + i).filter(
      (n) => !limiter.holdsBack(medium(n, changes), because, because === undefined || because === "ended"),
    )
  /** Of the sums that are due: "count of the number of its finding". */
  const sums = (isEnd = false) => {
    const due = limiter.summaries(isEnd)
    limiter.done(due)
    return due.map(({ alert }) => `${alert.limited?.count ?? 0} of ${Number(alert.finding.id.slice(-12))}`)
  }
  return { limiter, clock, offer, sums }
}

const medium = (n: number, changes: Partial<Finding>) =>
  aFinding({ id: idOf(n), severity: "medium", class: "tunnel_intent", score: 0.5, ...changes })
const { process } = aFinding()

describe("the limit of an identity and minute", () => {
  it("lets so many leave, and sums the rest once their minute is over by event time", () => {
    const { limiter, offer, sums } = make()
    expect(offer(1, 3_000)).toEqual([1, 2, 3])
    expect(sums()).toEqual([])
    limiter.advance(aFinding().host.id, startUs + minuteUs)
    const [due] = limiter.summaries()
    expect(due?.alert).toMatchObject({
      kind: "created",
      limited: {
        count: 2_997,
        classes: { tunnel_intent: 2_997 },
        identity: "uid 1000, bash",
        minute: "2026-11-23T06:00:00.000000000Z",
      },
    })
    expect(due?.alert.finding.summary).toMatch(
      /\. And 2996 more medium findings of uid 1000, bash within a minute \(in all 2997 tunnel_intent\), each on the page/,
    )
    expect(limiter.limited).toBe(2_997)
    expect(sums()).toHaveLength(1)
    expect(sums()).toEqual([])
    expect(offer(4_001, 1, { detectedAtUs: startUs + minuteUs })).toEqual([4_001])
  })

  it.each<[string, Partial<Finding>]>([
    ["a graver one", { severity: "high" }],
    ["another user", { process: { ...process, uid: 0 } }],
    ["another container", { process: { ...process, containerId: "c0ffee" } }],
    ["another program", { process: { ...process, ancestors: [], exe: "/usr/bin/frpc" } }],
    ["another host", { host: { id: "other", name: "other", bootId: "b" } }],
    ["the next minute", { detectedAtUs: startUs + minuteUs }],
  ])("does not count %s", (_what, changes) => {
    const { offer } = make()
    expect(offer(1, 5)).toEqual([1, 2, 3])
    expect(offer(11, 5, changes)).toEqual([11, 12, 13])
  })

  it("is not got around by a program of another name each time", () => {
    const { limiter, sums } = make(1)
    const left = Array.from({ length: 3_000 }, (_, n) => n).filter((n) => {
      const named = { ...process, ancestors: [], exe: `/tmp/${n}` }
      return !limiter.holdsBack(medium(n, { process: named }), undefined, true)
    })
    expect(left).toHaveLength(51)
    limiter.advance(aFinding().host.id, startUs + minuteUs)
    const [{ alert } = { alert: undefined }] = limiter.summaries()
    expect(alert?.limited).toMatchObject({ count: 2_949, identity: "many users and programs" })
    expect(sums()).toHaveLength(1)
  })

  it("keeps a finding back until it gets graver, or is over", () => {
    const { limiter, offer, sums } = make(1)
    offer(1, 3)
    limiter.advance(aFinding().host.id, startUs + minuteUs)
    expect(offer(2, 2, { version: 2, detectedAtUs: startUs + minuteUs })).toEqual([])
    expect(offer(3, 1, { version: 3, severity: "high" })).toEqual([3])
    expect(offer(2, 1, { version: 3, status: "closed" }, "ended")).toEqual([])
    expect(sums()).toEqual(["2 of 2"])
    expect(limiter.limited).toBe(2)
  })

  it("sums by the highest score, in the newest version, with the reason when it is over", () => {
    const { limiter, offer } = make(1)
    offer(1, 2)
    offer(7, 1, { score: 0.8 })
    offer(8, 20, { score: 0.6 })
    offer(7, 1, { score: 0.8, version: 2, status: "closed" }, "ended")
    const [due] = limiter.summaries(true)
    expect(due?.alert).toMatchObject({ because: "ended", finding: { id: idOf(7), version: 2 }, limited: { count: 22 } })
  })

  it("is no alert of what policy approved meanwhile", () => {
    const { offer, sums } = make(1)
    offer(1, 2)
    offer(2, 1, { version: 2, status: "expected" }, "expected")
    expect(sums(true)).toEqual([])
  })

  it("says the same of a version that comes again, and counts it once", () => {
    const { limiter, offer } = make()
    expect(offer(1, 5)).toEqual([1, 2, 3])
    expect(offer(1, 5)).toEqual([1, 2, 3])
    expect(limiter.limited).toBe(2)
  })

  it("is over by the clock when its host says nothing more", () => {
    const { clock, offer, sums } = make()
    offer(1, 5)
    clock.nowMs += 89_000
    expect(sums()).toEqual([])
    clock.nowMs += 2_000
    expect(sums()).toEqual(["2 of 4"])
  })

  it("keeps a sum that could not be written", () => {
    const { limiter, offer, sums } = make()
    offer(1, 4)
    expect(limiter.summaries(true)).toHaveLength(1)
    expect(sums()).toEqual(["1 of 4"])
  })

  it("is none when it is 0", () => {
    const { offer, sums } = make(0)
    expect(offer(1, 500)).toHaveLength(500)
    expect(sums(true)).toEqual([])
  })
})
