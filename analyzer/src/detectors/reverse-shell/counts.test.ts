import { expect, it } from "vitest"
import { anEdge } from "../../testing/couplings.js"
import { Executed } from "./counts.js"

const run = (openedAfter: number, changes: Parameters<typeof anEdge>[0] = {}) =>
  anEdge({ kind: "exec", openedAfter, delayMinNs: 200_000_000, ...changes })
const { aCookie } = anEdge()

it("counts programs that ran within 0.2 s after the far side spoke, and no connections", () => {
  const executed = new Executed()
  const first = run(3)
  executed.add(first, undefined)
  executed.add(run(9, { kind: "tcp" }), undefined)
  executed.add(run(5, { delayMinNs: 200_000_001 }), undefined)
  expect(executed.after(aCookie)).toBe(3)
  executed.add(run(4), first)
  expect(executed.after(aCookie)).toBe(4)
  executed.remove(run(4))
  expect(executed.after(aCookie)).toBe(0)
})
