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

/** `sign` -1 takes `b` away again. */
export function addTurnOrder(a: TurnOrder, b: TurnOrder, sign: 1 | -1 = 1): TurnOrder {
  return {
    openedLate: a.openedLate + sign * b.openedLate,
    waited: a.waited + sign * b.waited,
    straight: a.straight + sign * b.straight,
    prompted: a.prompted + sign * b.prompted,
    own: a.own + sign * b.own,
    passed: a.passed + sign * b.passed,
    kept: a.kept + sign * b.kept,
    streamed: a.streamed + sign * b.streamed,
    closedAfter: a.closedAfter + sign * b.closedAfter,
    closedAlone: a.closedAlone + sign * b.closedAlone,
    leadLog2: a.leadLog2 + sign * b.leadLog2,
  }
}
