import fc from "fast-check"
import { expect, it } from "vitest"
import { Portions } from "./portions.js"

it("knows who has most, whatever comes and goes", () => {
  const step = fc.record({ owner: fc.constantFrom("a", "b", "c"), key: fc.nat(12), add: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const portions = new Portions<number>()
      const expected = new Map<string, number[]>([["a", []], ["b", []], ["c", []]]) // prettier-ignore
      for (const { owner, key, add } of steps) {
        const rest = (expected.get(owner) ?? []).filter((other) => other !== key)
        expected.set(owner, add ? [...rest, key] : rest)
        if (add) portions.add(owner, key)
        else portions.delete(owner, key)
        const max = Math.max(...[...expected.values()].map(({ length }) => length))
        const largest = portions.largest()
        expect(largest === undefined ? 0 : portions.count(largest)).toBe(max)
        for (const [name, keys] of expected) expect([...portions.keys(name)]).toEqual(keys)
      }
    }),
  )
})
