import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Change } from "../domain/detector.js"
import { aBatch } from "../testing/batches.js"
import { anOpening } from "../testing/connections.js"
import { anAttachment, anEdge, noMoments } from "../testing/couplings.js"
import { aChild, keyOf } from "../testing/processes.js"
import { at } from "../testing/time.js"
import { aTracker, apply } from "../testing/trackers.js"

/** Process 1 is of a user who has little, process 2 of one who has very much. */
const [quiet, loud] = [aChild(1, undefined, { uid: 1 }), aChild(2, undefined, { uid: 2 })]
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const place = (port: number) => ({ address: "10.0.0.1", port })

describe("one user cannot push out what others have:", () => {
  it("edges", () => {
    const state = aTracker({ edges: 10 })
    const own = numbers(3).map((i) => anEdge({ group: "quiet", aProcess: quiet.key, bRemote: place(i) }))
    const flood = numbers(40).map((i) => anEdge({ group: `loud ${i}`, aProcess: loud.key, bRemote: place(i) }))
    apply(state, aBatch(1, { processes: [quiet, loud], edges: [...own, ...flood] }))
    expect(state.edgesOf("quiet")).toHaveLength(3)
    expect(state.counts.evicted.edge).toBe(33)
  })

  it("attachments", () => {
    const state = aTracker({ attachments: 10 })
    const own = numbers(3).map((i) => anAttachment({ process: quiet.key, child: keyOf(10 + i) }))
    const flood = numbers(40).map((i) => anAttachment({ process: loud.key, child: keyOf(100 + i) }))
    apply(state, aBatch(1, { processes: [quiet, loud], attachments: [...own, ...flood] }))
    expect([...state.attachmentsOf(quiet.key)]).toHaveLength(3)
    expect(state.counts.evicted.attachment).toBe(33)
  })

  it("processes, ended ones too", () => {
    const state = aTracker({ processes: 10 })
    const own = numbers(3).map((i) => aChild(10 + i, 1, { uid: 1 }))
    const flood = numbers(40).map((i) => aChild(100 + i, 2, { uid: 2 }))
    apply(state, aBatch(1, { processes: [quiet, ...own, loud], exited: own.map(({ key }) => key) }))
    apply(state, aBatch(2, { processes: flood }))
    expect(own.every(({ key }) => state.process(key) !== undefined)).toBe(true)
    expect(state.counts).toMatchObject({ processes: 10, evicted: { process: 35 } })
  })

  it("live connections, those to the outside that it opens included", () => {
    const state = aTracker({ liveConnections: 10 })
    const own = numbers(3).map((i) => anOpening({ cookie: `own ${i}`, process: quiet.key, remote: place(i) }))
    const flood = numbers(200).map((i) => anOpening({ cookie: `flood ${i}`, process: loud.key }))
    apply(state, aBatch(1, { processes: [quiet, loud], connections: [...own, ...flood] }))
    expect([...state.connectionsOf(quiet.key)]).toHaveLength(3)
    expect(state.counts.evicted.connection).toBe(193)
  })

  it("closed connections", () => {
    const state = aTracker({ closedConnections: 10 })
    const closed = (cookie: string, process: string) => anOpening({ cookie, process, reason: "closed" })
    const own = numbers(3).map((i) => closed(`own ${i}`, quiet.key))
    const flood = numbers(40).map((i) => closed(`flood ${i}`, loud.key))
    apply(state, aBatch(1, { processes: [quiet, loud], connections: [...own, ...flood] }))
    expect(own.map(({ cookie }) => state.connection(cookie)?.closed)).toEqual(["closed", "closed", "closed"])
    expect(state.connection("flood 0")).toBeUndefined()
    expect(state.connection("flood 39")).toBeDefined()
    expect(state.counts.evicted.closedConnection).toBe(33)
  })
})

describe("programs beyond the rate of their user", () => {
  const limits = { newPrograms: { windowUs: 60e6, perWindow: 128 } }
  const flood = numbers(200).map((i) => aChild(100 + i, 2, { uid: 2 }))
  const shown = (changes: readonly Change[]) =>
    changes.flatMap((change) => (change.kind === "process" ? [change.facts.key] : []))

  it("are known and counted, and shown when they have to do with a connection", () => {
    const state = aTracker(limits)
    const { changes } = apply(state, aBatch(1, { processes: flood }))
    expect(shown(changes)).toHaveLength(64)
    expect(state.counts).toMatchObject({ processes: 200, evicted: { unexaminedProcess: 136 } })
    const [first, connecting, held, coupled] = [keyOf(100), keyOf(250), keyOf(260), keyOf(270)]
    const later = apply(
      state,
      aBatch(2, {
        connections: [anOpening({ process: first }), anOpening({ cookie: "b", process: connecting })],
        edges: [anEdge({ aProcess: coupled, bProcess: coupled })],
        attachments: [anAttachment({ process: connecting, child: held })],
      }),
    )
    expect(shown(later.changes)).toEqual([connecting, coupled, held])
    expect(later.changes.map(({ kind }) => kind)).toEqual(["connection", "process", "connection", "process", "edge", "process", "attachment"]) // prettier-ignore
  })

  it("stay unseen when their facts are sent again", () => {
    const state = aTracker(limits)
    apply(state, aBatch(1, { processes: flood }))
    const again = apply(state, aBatch(2, { processes: [aChild(100, 2, { uid: 2 }), aChild(250, 2, { uid: 2 })] }))
    expect(shown(again.changes)).toEqual([keyOf(100)])
  })

  it("leave others, and the next minute, what is theirs", () => {
    const state = aTracker(limits)
    apply(state, aBatch(1, { processes: flood }))
    expect(shown(apply(state, aBatch(2, { processes: [quiet] })).changes)).toEqual([quiet.key])
    expect(shown(apply(state, aBatch(3, { observedUs: at(61), processes: [aChild(900, 2, { uid: 2 })] })).changes)).toHaveLength(1) // prettier-ignore
  })
})

it("keeps so many edges of one group, the least recent of it going first", () => {
  const state = aTracker({ edgesOfGroup: 5 })
  const many = numbers(8).map((i) => anEdge({ group: "many", bRemote: place(i) }))
  const { changes } = apply(state, aBatch(1, { edges: [anEdge({ group: "few" }), ...many] }))
  expect(state.edgesOf("many").map(({ bRemote }) => bRemote.port)).toEqual([3, 4, 5, 6, 7])
  expect(state.edgesOf("few")).toHaveLength(1)
  expect(changes.filter(({ kind }) => kind === "edge-gone")).toHaveLength(3)
  expect(state.counts.evicted.edge).toBe(3)
})

describe("an edge that the kernel has forgotten and that comes back", () => {
  const turns = { n: 2, x: 20, y: 20, xx: 200, yy: 200, xy: 200 }
  const first = anEdge({ openedAfter: 2, forwardIn: 90, forward: turns, openForward: { x: 3, y: 3 }, firstUs: at(1), lastUs: at(5) }) // prettier-ignore
  const again = anEdge({ openedAfter: 1, forwardIn: 10, forward: noMoments, firstUs: at(60), lastUs: at(61), delayMinNs: 9 }) // prettier-ignore

  it("goes on from what it was, in each of its lives", () => {
    const state = aTracker()
    apply(state, aBatch(1, { edges: [first] }))
    const { changes } = apply(state, aBatch(2, { edges: [again] }))
    expect(changes).toMatchObject([{ edge: { openedAfter: 3, forwardIn: 100, forward: { n: 3, x: 23 }, firstUs: at(1), lastUs: at(61), delayMinNs: 9 }, previous: first }]) // prettier-ignore
    apply(state, aBatch(3, { edges: [{ ...again, openedAfter: 4, forwardIn: 40, lastUs: at(62) }] }))
    expect(state.edgesOf(first.group)).toMatchObject([{ openedAfter: 6, forwardIn: 130 }])
    apply(state, aBatch(4, { edges: [{ ...again, firstUs: at(90), lastUs: at(90) }] }))
    expect(state.edgesOf(first.group)).toMatchObject([{ openedAfter: 7, forwardIn: 140 }])
  })

  it("is not taken for one that goes on, whatever a clock that was set makes of its times", () => {
    const state = aTracker()
    apply(state, aBatch(1, { edges: [first] }))
    apply(state, aBatch(2, { edges: [{ ...first, openedAfter: 3, firstUs: at(3_600), lastUs: at(3_604) }] }))
    expect(state.edgesOf(first.group)).toMatchObject([{ openedAfter: 3, forwardIn: 90 }])
  })
})

it("gives out each record that it takes, or counts it as evicted", () => {
  const record = fc.record({ number: fc.nat(60), owner: fc.constantFrom(quiet.key, loud.key, keyOf(9)) })
  const records = fc.array(record, { minLength: 1, maxLength: 120 })
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: 20 }), (all, bound) => {
      const state = aTracker({ edges: bound, edgesOfGroup: 15, liveConnections: bound, processes: bound + 2 })
      apply(state, aBatch(1, { processes: [quiet, loud] }))
      const expected = { connections: 0, edges: 0, processes: 2 }
      for (const [i, { number, owner }] of all.entries()) {
        const observedUs = at(1 + i / 100)
        const cookie = `c${number}`
        const child = aChild(100 + number, undefined, { uid: number % 3 })
        const edge = anEdge({ aProcess: owner, group: owner, bRemote: place(number), lastUs: observedUs })
        const isKnown = state.edgesOf(owner).some(({ bRemote }) => bRemote.port === number)
        if (state.connection(cookie) === undefined) expected.connections += 1
        if (state.process(child.key) === undefined) expected.processes += 1
        if (!isKnown) expected.edges += 1
        const connections = [anOpening({ cookie, process: owner, observedUs })]
        apply(state, aBatch(i + 2, { observedUs, processes: [child], connections, edges: [edge] }))
      }
      const kept = [quiet.key, loud.key, keyOf(9)].flatMap((group) => state.edgesOf(group)).length
      const { liveConnections, processes, evicted } = state.counts
      expect(kept + evicted.edge).toBe(expected.edges)
      expect(liveConnections + evicted.connection).toBe(expected.connections)
      expect(processes + evicted.process).toBe(expected.processes)
      expect(Math.max(kept, liveConnections, processes - 2)).toBeLessThanOrEqual(bound)
    }),
  )
})
