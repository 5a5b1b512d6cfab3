import fc from "fast-check"
import { expect, it } from "vitest"
import { DueQueue } from "./due-queue.js"

const step = fc.record({
  key: fc.nat(20),
  dueUs: fc.nat(50),
  kind: fc.constantFrom("set" as const, "delete" as const, "take" as const),
})

it("gives what is due, the earliest first, as a list does that is sorted each time", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new DueQueue<number>()
      const model = new Map<number, number>()
      for (const { key, dueUs, kind } of steps) {
        if (kind === "set") queue.set(key, dueUs)
        if (kind === "set") model.set(key, dueUs)
        if (kind === "delete") queue.delete(key)
        if (kind === "delete") model.delete(key)
        if (kind !== "take") continue
        const due = [...model].filter(([, atUs]) => atUs <= dueUs)
        const taken = queue.takeDue(dueUs)
        expect(taken.toSorted((a, b) => a - b)).toEqual(due.map(([one]) => one).toSorted((a, b) => a - b))
        expect(taken.map((one) => model.get(one))).toEqual(due.map(([, atUs]) => atUs).toSorted((a, b) => a - b))
        for (const one of taken) model.delete(one)
      }
      expect(queue.size).toBe(model.size)
      expect([...model.keys()].every((key) => queue.has(key))).toBe(true)
    }),
  )
})
