import { describe, expect, it } from "vitest"
import { aBatch } from "../testing/batches.js"
import { at } from "../testing/time.js"
import { aHost } from "../testing/hosts.js"
import { aChild, keyOf } from "../testing/processes.js"
import { aTracker, apply } from "../testing/trackers.js"

describe("processes", () => {
  it("show their lineage, nearest first, at most eight", () => {
    const state = aTracker()
    const chain = Array.from({ length: 12 }, (_, i) => aChild(i + 1, i === 0 ? undefined : i))
    apply(state, aBatch(1, { processes: chain }))
    expect(state.ancestors(keyOf(12)).map(({ pid }) => pid)).toEqual([11, 10, 9, 8, 7, 6, 5, 4])
    expect([...state.childrenOf(keyOf(3))]).toEqual([keyOf(4)])
  })

  it("survive a lineage that bites its tail", () => {
    const state = aTracker()
    apply(state, aBatch(1, { processes: [aChild(1, 2), aChild(2, 1), aChild(3, 3)] }))
    expect(state.ancestors(keyOf(1))).toHaveLength(8)
    expect(state.ancestors(keyOf(3))).toEqual([])
  })

  it("keep the parent that started them when another takes them over", () => {
    const state = aTracker()
    apply(state, aBatch(1, { processes: [aChild(1), aChild(5, 1), aChild(9, 5)] }))
    apply(state, aBatch(2, { processes: [aChild(9, 1, { exe: "/bin/sh" })], exited: [keyOf(5)] }))
    expect(state.process(keyOf(9))?.exe).toBe("/bin/sh")
    expect(state.ancestors(keyOf(9)).map(({ pid }) => pid)).toEqual([5, 1])
  })

  it("stay ten minutes after their end, and as long as a child of theirs is known", () => {
    const state = aTracker()
    apply(state, aBatch(1, { observedUs: at(0), processes: [aChild(1), aChild(2, 1), aChild(3)] }))
    const { changes } = apply(state, aBatch(2, { observedUs: at(0), exited: [keyOf(1), keyOf(3)] }))
    expect(changes).toMatchObject([
      { kind: "exit", facts: { pid: 1 } },
      { kind: "exit", process: keyOf(3) },
    ])
    apply(state, aBatch(3, { observedUs: at(599) }))
    expect(state.process(keyOf(3))).toBeDefined()
    apply(state, aBatch(4, { observedUs: at(600), exited: [keyOf(2)] }))
    expect(state.process(keyOf(3))).toBeUndefined()
    expect(state.process(keyOf(1))).toBeDefined()
    apply(state, aBatch(5, { observedUs: at(1_200) }))
    expect(state.process(keyOf(2))).toBeUndefined()
    expect(state.process(keyOf(1))).toBeUndefined()
  })

  it("never exceed their cap: the ended ones go first", () => {
    const state = aTracker({ processes: 3 })
    apply(state, aBatch(1, { processes: [aChild(1), aChild(2), aChild(3)], exited: [keyOf(2)] }))
    apply(state, aBatch(2, { processes: [aChild(4)] }))
    expect(state.process(keyOf(2))).toBeUndefined()
    apply(state, aBatch(3, { processes: [aChild(5)] }))
    expect(state.process(keyOf(1))).toBeUndefined()
    expect(state.counts).toMatchObject({ processes: 3, evicted: { process: 2 } })
  })

  it("end when a collector that started anew does not name them again", () => {
    const state = aTracker()
    apply(state, aBatch(1, { processes: [aChild(1), aChild(2)] }))
    state.greet(aHost({ instance: "8" }))
    apply(state, aBatch(1, { processes: [aChild(2)] }))
    apply(state, aBatch(2, { observedUs: at(700) }))
    expect([1, 2].map((pid) => state.process(keyOf(pid))?.pid)).toEqual([undefined, 2])
  })
})
