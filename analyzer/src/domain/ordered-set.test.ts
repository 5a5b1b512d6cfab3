import fc from "fast-check"
import { expect, it } from "vitest"
import { OrderedSet } from "./ordered-set.js"

const step = fc.record({ key: fc.nat(12), kind: fc.constantFrom("add" as const, "delete" as const, "shift" as const) })

it("has the order of a set from which a key is deleted before it is added again", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const [keys, model] = [new OrderedSet<number>(), new Set<number>()]
      for (const { key, kind } of steps) {
        const [first] = model
        const target = kind === "shift" ? (first ?? -1) : key
        const wasThere = model.delete(target)
        if (kind === "add") keys.add(target)
        else expect(keys.delete(target)).toBe(wasThere)
        if (kind === "add") model.add(target)
        expect([...keys]).toEqual([...model])
        expect(keys.size).toBe(model.size)
      }
    }),
  )
})

it("goes on behind a key that is deleted as it is taken", () => {
  const keys = new OrderedSet<number>()
  for (const key of [1, 2, 3]) keys.add(key)
  const taken: number[] = []
  for (const key of keys) {
    keys.delete(key)
    taken.push(key)
  }
  expect(taken).toEqual([1, 2, 3])
  expect(keys.size).toBe(0)
})
