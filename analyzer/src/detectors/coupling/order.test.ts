import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { promptly } from "../../testing/couplings.js"
import { noTurnOrder } from "../../domain/turn-order.js"
import { chanceBits, hasOrder, orderObservations } from "./order.js"

const total = (...parameters: Parameters<typeof orderObservations>) =>
  orderObservations(...parameters).reduce((sum, { bits }) => sum + bits, 0)

describe("who waited for whom", () => {
  it("speaks for a relay that waits, passes on and closes when the far side has the last word", () => {
    const order = { ...noTurnOrder, waited: 6, passed: 8, streamed: 2, closedAfter: 6 }
    expect(total(order, 0)).toBeGreaterThan(15)
  })

  it("speaks against a client that writes at once, goes on by itself and keeps the answers", () => {
    const order = { ...noTurnOrder, straight: 20, own: 80, passed: 20, kept: 80, closedAlone: 36 }
    expect(total(order, 0)).toBeLessThan(-20)
  })

  it("lets a conversation of one's own outweigh all that speaks for a relay", () => {
    const best = { ...noTurnOrder, waited: 99, prompted: 99, passed: 99, streamed: 99, closedAfter: 99 }
    expect(total(best, 0) + total({ ...noTurnOrder, own: 9, passed: 1 }, 0)).toBeLessThan(2.5)
  })

  it("takes for an exception what is seldom beside its opposite, however often that was", () => {
    const client = { ...noTurnOrder, straight: 186, closedAlone: 184 }
    const chanced = { ...client, waited: 4, closedAfter: 4 }
    expect(total(chanced, 0) - total(client, 0)).toBeLessThan(1)
    expect(total({ ...noTurnOrder, waited: 4, closedAfter: 4 }, 0)).toBeGreaterThan(14)
  })

  it("counts each opening with the far side silent against it", () => {
    const order = { ...noTurnOrder, waited: 1, passed: 1 }
    expect(total(order, 1)).toBeLessThan(total(order, 0))
  })

  it("never says more for one more reason against, nor less for one more reason in favour", () => {
    const count = fc.nat({ max: 30 })
    const orders = fc.record({ waited: count, straight: count, prompted: count, own: count, passed: count, kept: count, streamed: count, closedAfter: count, closedAlone: count }) // prettier-ignore
    fc.assert(
      fc.property(orders, (counts) => {
        const order = { ...noTurnOrder, ...counts }
        for (const name of ["waited", "prompted", "passed", "streamed", "closedAfter"] as const)
          expect(total({ ...order, [name]: order[name] + 1 }, 0)).toBeGreaterThanOrEqual(total(order, 0))
        for (const name of ["straight", "own", "kept", "closedAlone"] as const)
          expect(total({ ...order, [name]: order[name] + 1 }, 0)).toBeLessThanOrEqual(total(order, 0))
      }),
    )
  })

  it("is known as soon as one was seen to wait or not to", () => {
    expect(hasOrder({ ...noTurnOrder, passed: 3, kept: 1 })).toBe(false)
    expect(hasOrder({ ...noTurnOrder, straight: 1 })).toBe(true)
  })
})

describe("chance", () => {
  it("is out of the question for what follows much sooner than the next message would come", () => {
    expect(chanceBits(promptly(6), 6)).toBe(30)
  })

  it("explains what follows an A that chats", () => {
    expect(chanceBits({ ...noTurnOrder, leadLog2: 256 * 1.44 * 20 }, 20)).toBe(-5)
  })

  it("says nothing where nothing followed", () => {
    expect(chanceBits(noTurnOrder, 0)).toBe(0)
  })
})
