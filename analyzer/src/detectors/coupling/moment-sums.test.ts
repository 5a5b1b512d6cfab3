import fc from "fast-check"
import { expect, it } from "vitest"
import { withOpenTurn } from "../../domain/moments.js"
import { noMoments } from "../../testing/couplings.js"
import { MomentSums } from "./moment-sums.js"

type Turns = readonly (readonly [number, number])[]

const momentsOf = (turns: Turns) => turns.reduce((sum, [x, y]) => withOpenTurn(sum, { x, y }), noMoments)
/** Up to 1 MiB, as the kernel caps them. */
const size = fc.integer({ min: 1, max: 2 ** 20 })
const turns = fc.array(fc.tuple(size, size), { maxLength: 20 })

it("is the moments of all turns together", () => {
  fc.assert(
    fc.property(turns, turns, (a, b) => {
      const sums = new MomentSums()
      sums.add(momentsOf(a), 1)
      sums.add(momentsOf(b), 1)
      expect(sums.moments).toEqual(momentsOf([...a, ...b]))
    }),
  )
})

it("forgets what is taken away, beyond the range of doubles too", () => {
  const huge = { n: 1, x: 1, y: 1, xx: 2 ** 63, yy: 2 ** 62, xy: 2 ** 61 }
  const small = momentsOf([[1, 2]])
  const sums = new MomentSums()
  sums.add(small, 1)
  for (let i = 0; i < 100; i++) sums.add(huge, 1)
  for (let i = 0; i < 100; i++) sums.add(huge, -1)
  expect(sums.moments).toEqual(small)
})
