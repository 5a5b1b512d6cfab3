/** Arithmetic of who waited for whom: counts that are added and taken away. Pure. */
import type { TurnOrder } from "./coupling.js"

export const noTurnOrder: TurnOrder = {
  openedLate: 0,
  waited: 0,
  straight: 0,
  prompted: 0,
  own: 0,
  passed: 0,
  kept: 0,
  streamed: 0,
  closedAfter: 0,
  closedAlone: 0,
  leadLog2: 0,
}

/** Counts that go on in place. */
export type TurnOrderSums = { -readonly [Name in keyof TurnOrder]: TurnOrder[Name] }

export function addTurnOrder(a: TurnOrder, b: TurnOrder): TurnOrder {
  const sums = { ...a }
  tallyTurnOrder(sums, b, 1)
  return sums
}

/** `sign` -1 takes `order` away again. */
export function tallyTurnOrder(sums: TurnOrderSums, order: TurnOrder, sign: 1 | -1): void {
  // Most edges have none: nothing is read of them but that.
  if (order === noTurnOrder) return
  sums.openedLate += sign * order.openedLate
  sums.waited += sign * order.waited
  sums.straight += sign * order.straight
  sums.prompted += sign * order.prompted
  sums.own += sign * order.own
  sums.passed += sign * order.passed
  sums.kept += sign * order.kept
  sums.streamed += sign * order.streamed
  sums.closedAfter += sign * order.closedAfter
  sums.closedAlone += sign * order.closedAlone
  sums.leadLog2 += sign * order.leadLog2
}
