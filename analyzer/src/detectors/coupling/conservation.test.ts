import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { withOpenTurn } from "../../domain/moments.js"
import { direction, framingOnTheOutside, sizeBits } from "./conservation.js"

const none = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 }

function moments(turns: readonly (readonly [number, number])[]) {
  return turns.reduce((m, [x, y]) => withOpenTurn(m, { x, y }), none)
}

describe("direction", () => {
  it("calls equal bytes in varying turns exact", () => {
    expect(
      direction(
        moments([
          [120, 120],
          [5000, 5000],
        ]),
      ).exact,
    ).toBe(true)
  })

  it("does not call totals exact when the turns differ", () => {
    expect(
      direction(
        moments([
          [120, 5000],
          [5000, 120],
        ]),
      ).exact,
    ).toBe(false)
  })

  it("does not call a handful of bytes exact", () => {
    expect(direction(moments([[12, 12]])).exact).toBe(false)
  })

  it("gives next to no level evidence to small messages of unlike size", () => {
    expect(direction(moments([[25, 7]])).levelBits).toBeLessThan(1)
  })

  it("gives more to a size that is kept, the larger it is, and most where no byte differs", () => {
    const level = (x: number, y: number) => direction(moments([[x, y]])).levelBits
    expect(level(108, 90)).toBeGreaterThan(2)
    expect(level(1_013, 1_022)).toBeGreaterThan(level(192, 201))
    expect(level(192, 192)).toBeGreaterThan(level(192, 201))
    expect(level(26_239, 26_706)).toBeGreaterThan(5)
  })

  it("takes acknowledgements for less than what one direction has to say, however many there are", () => {
    const rows = Array.from(
      { length: 16 },
      (_, i) => [`:${i + 5}\r\n`.length, `{"row": ${i + 5}, "ok": 1}`.length] as const,
    )
    expect(sizeBits(direction(moments(rows)), 1)).toBeLessThanOrEqual(2)
    const answers = rows.map(([x, y]) => [x + 60, y + 60] as const)
    expect(sizeBits(direction(moments(answers)), 1)).toBeGreaterThan(3)
  })

  it("counts sizes that have nothing to do with each other against a relay, but not for much", () => {
    expect(direction(moments([[1_024, 91]])).levelBits).toBe(-1.5)
  })

  it("gives evidence to sizes that vary by a factor, as compressed ones do", () => {
    const turns = [200, 3_000, 20_000, 60_000, 9_000].map((size) => [size, Math.round(size * 0.31) + 40] as const)
    expect(direction(moments(turns)).variationBits).toBe(8)
  })

  it("gives high variation evidence to bulk with constant framing", () => {
    const turns = [122, 213, 5114, 30115].map((size) => [size, size + 36] as const)
    expect(direction(moments(turns)).variationBits).toBeGreaterThan(10)
  })

  it("gives little to sizes that grow alike and differ by more than framing does", () => {
    const turns = [3_000, 41_000, 6_000, 12_000, 65_000].map((size, i) => [size, size + 3_000 + 2_500 * i] as const)
    expect(direction(moments(turns)).variationBits).toBeLessThanOrEqual(3)
  })

  it("gives none to constant sizes, however often they repeat", () => {
    const turns = Array.from({ length: 50 }, () => [46, 57] as const)
    expect(direction(moments(turns)).variationBits).toBe(0)
  })

  it("counts sizes that vary apart against a common cause", () => {
    const turns = [46, 926, 5026, 46, 926, 5026].map((size, i) => [size, 57 + (i % 2)] as const)
    expect(direction(moments(turns)).variationBits).toBeLessThan(1)
  })

  it("stays within its bounds and is exact only when every byte agrees, whatever the turns", () => {
    const turn = fc.tuple(fc.integer({ min: 1, max: 1 << 20 }), fc.integer({ min: 1, max: 1 << 20 }))
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 40 }), (turns) => {
        const d = direction(moments(turns))
        expect(d.levelBits).toBeGreaterThanOrEqual(-1.5)
        expect(d.levelBits).toBeLessThanOrEqual(10)
        expect(d.variationBits).toBeGreaterThanOrEqual(-4)
        expect(d.variationBits).toBeLessThanOrEqual(12)
        if (d.exact) expect(turns.every(([x, y]) => Math.abs(x - y) < 40)).toBe(true)
      }),
    )
  })
})

describe("framingOnTheOutside", () => {
  it("holds for a relay that strips and adds framing", () => {
    expect(framingOnTheOutside(direction(moments([[208, 80]])), direction(moments([[122, 156]])))).toBe(true)
  })

  it("fails for a client that wraps a message into a statement", () => {
    expect(framingOnTheOutside(direction(moments([[46, 257]])), direction(moments([[25, 30]])))).toBe(false)
  })

  it("fails for a client that acknowledges rows with less than it got", () => {
    expect(framingOnTheOutside(direction(moments([[500, 80]])), direction(moments([[998, 240]])))).toBe(false)
  })
})

describe("sizeBits", () => {
  const wrapped = direction(moments([46, 926, 5_026, 300, 800].map((size) => [size, size + 120] as const)))

  it("says much of sizes that vary together with the framing where a relay has it", () => {
    expect(sizeBits(wrapped, 1)).toBe(14)
  })

  it("says little of them with the framing on the other side: clients wrap messages into statements", () => {
    expect(sizeBits(wrapped, -1)).toBeLessThanOrEqual(6)
  })

  it("says half as much on the way in: who stores or forwards what he is pushed keeps its sizes too", () => {
    const kept = direction(moments([46, 926, 5_026, 300, 800].map((size) => [size, size] as const)))
    expect([sizeBits(kept, -1), sizeBits(kept, 1)]).toEqual([7, 14])
  })

  it("holds it against a relay a little that nothing went this way", () => {
    expect(sizeBits(direction(none), 1)).toBe(-1)
  })
})
