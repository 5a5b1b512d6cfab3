import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Intake } from "./intake.js"
import type { IntakeLimits } from "./intake.js"
import type { Source } from "./shares.js"

interface Item {
  readonly bytes: Uint8Array
  readonly source: Source
  readonly n: number
}

const item = (length: number, host = "a", n = 0, peer = "p"): Item => ({
  bytes: new Uint8Array(length),
  source: { peer, host },
  n,
})

/** With a clock that stands still unless the test moves it. */
function anIntake(limits: Partial<IntakeLimits> = {}) {
  const clock = { ms: 0 }
  const taken: Item[] = []
  const intake = new Intake<Item>(
    { messages: 1_000, bytes: 1_000, ...limits },
    { nowMs: () => clock.ms, maxHosts: 10, onTaken: (one) => taken.push(one) },
  )
  return { intake, clock, taken }
}

describe("Intake", () => {
  it("gives what one host sent in order, and wakes who waits", async () => {
    const { intake } = anIntake()
    const waiting = intake.waiting()
    for (const n of [1, 2, 3]) intake.offer(item(1, "a", n))
    expect(await waiting).toBe(true)
    expect([intake.take()?.n, intake.take()?.n, intake.take()?.n, intake.take()]).toEqual([1, 2, 3, undefined])
  })

  it.each([
    ["a host has what it leaves free of its peer's room", [item(400)], item(1), false],
    ["a host has less", [item(300)], item(1), true],
    ["its messages are many", Array.from({ length: 400 }, () => item(0)), item(1), false],
    ["another host of its peer has much", [item(400)], item(1, "b"), true],
    ["its peer has half of it", [item(300), item(200, "b")], item(1, "c"), false],
    ["another peer has half of it", [item(300), item(200, "b")], item(1, "c", 0, "q"), true],
  ])("judges room: %s", (_, waiting, next, hasRoom) => {
    const { intake } = anIntake()
    for (const one of waiting) intake.offer(one)
    expect(intake.hasRoom(next.source)).toBe(hasRoom)
  })

  it("calls for more after each take, each caller once, and lets one ask again", () => {
    const { intake } = anIntake()
    const called: string[] = []
    for (let n = 0; n < 2; n++) intake.offer(item(1))
    intake.whenRoom(() => {
      called.push("a")
      intake.whenRoom(() => called.push("a again"))
    })
    intake.whenRoom(() => called.push("b"))
    expect(called).toEqual([])
    intake.take()
    expect(called).toEqual(["a", "b"])
    intake.take()
    expect(called).toEqual(["a", "b", "a again"])
  })

  it("ends once closed and empty", async () => {
    const { intake } = anIntake()
    intake.offer(item(1))
    intake.close()
    expect(await intake.waiting()).toBe(true)
    intake.take()
    expect(await intake.waiting()).toBe(false)
  })

  it("ends at once when what waits is dropped, and tells each item's stream", async () => {
    const { intake, taken } = anIntake()
    for (const host of ["a", "b", "a"]) intake.offer(item(5, host))
    intake.close()
    expect(intake.drop()).toBe(3)
    expect([taken.length, intake.messages, intake.bytes, intake.hasRoom({ peer: "p", host: "a" })]).toEqual([3, 0, 0, true]) // prettier-ignore
    expect(await intake.waiting()).toBe(false)
  })

  it("counts what waits exactly, and keeps each host's order, in any mixture of offers and takes", () => {
    const step = fc.option(fc.record({ length: fc.nat(20), host: fc.constantFrom("a", "b"), ms: fc.nat(5) }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500 }), (steps) => {
        const { intake, clock } = anIntake({ messages: 5, bytes: 50 })
        const model: Item[] = []
        for (const [n, one] of steps.entries()) {
          if (one !== null) {
            const offered = item(one.length, one.host, n)
            clock.ms += one.ms
            intake.offer(offered)
            model.push(offered)
          } else if (model.length > 0) {
            const got = intake.take()
            const oldest = model.findIndex(({ source }) => source.host === got?.source.host)
            expect(got?.n).toBe(model.splice(oldest, 1)[0]?.n)
            if (got !== undefined) intake.charge(got.source, got.n)
          }
          expect(intake.messages).toBe(model.length)
          expect(intake.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes.length, 0))
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe("whose turn it is", () => {
  /** Takes `count` items, each of which costs what `costMs` says; whose they were. */
  function run(
    { intake, clock }: ReturnType<typeof anIntake>,
    count: number,
    costMs: Record<string, number>,
  ): string[] {
    return Array.from({ length: count }, () => {
      const source = intake.take()?.source
      if (source === undefined) return ""
      clock.ms += costMs[source.host] ?? 0
      intake.charge(source, costMs[source.host] ?? 0)
      return source.host
    })
  }

  it("goes by cost and not by number: cheap messages pass expensive ones", () => {
    const one = anIntake()
    for (let n = 0; n < 20; n++) for (const host of ["dear", "cheap"]) one.intake.offer(item(1, host, n))
    const turns = run(one, 12, { dear: 100, cheap: 10 })
    expect(turns).toEqual(["dear", ...Array.from({ length: 10 }, () => "cheap"), "dear"])
  })

  it("does not keep waiting who comes new behind a long queue", () => {
    const one = anIntake()
    for (let n = 0; n < 50; n++) one.intake.offer(item(1, "flood", n))
    run(one, 10, { flood: 50 })
    one.intake.offer(item(1, "quiet"))
    expect(run(one, 2, { flood: 50, quiet: 1 })).toEqual(["quiet", "flood"])
  })

  it("gives a peer no more for being many hosts", () => {
    const one = anIntake()
    for (let n = 0; n < 30; n++) {
      for (let invented = 0; invented < 5; invented++) one.intake.offer(item(1, `invented ${invented}`, n, "hostile"))
      one.intake.offer(item(1, "real", n, "other"))
    }
    const turns = run(one, 40, { real: 10, ...Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`invented ${n}`, 10])) })
    expect(turns.filter((host) => host === "real")).toHaveLength(20)
  })

  it("counts how long a host waited because others had cost less, and forgets it in time", () => {
    const one = anIntake()
    for (let n = 0; n < 9; n++) one.intake.offer(item(1, "flood", n))
    run(one, 1, { flood: 10_000 })
    for (let n = 0; n < 4; n++) one.intake.offer(item(1, "quiet", n))
    run(one, 4, { quiet: 500 })
    expect(one.intake.shareOf("quiet")).toEqual({ costMs: 2_000, delayedMs: 0, isDelayed: false })
    expect(one.intake.shareOf("flood")).toEqual({ costMs: 10_000, delayedMs: 2_000, isDelayed: true })
    one.clock.ms += 60_000
    expect(one.intake.shareOf("flood")).toMatchObject({ delayedMs: 2_000, isDelayed: false })
    // What it cost a minute ago hardly counts: it may go on beside one that has cost as much just now.
    one.intake.charge({ peer: "p", host: "quiet" }, 500)
    one.intake.offer(item(1, "quiet"))
    expect(run(one, 1, {})).toEqual(["flood"])
  })
})
