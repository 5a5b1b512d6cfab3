/**
 * One edge over the lives that its record in the kernel has: the collector forgets an edge that is silent for long, and
 * when it comes back it counts from zero. What went through before is not undone by that. Pure.
 */
import type { CouplingEdge } from "../domain/coupling.js"
import { addMoments, withOpenTurn } from "../domain/moments.js"
import { addTurnOrder } from "../domain/turn-order.js"

export interface EdgeLife {
  /** All lives together. */
  readonly edge: CouplingEdge
  /** As it was reported last, and what earlier lives came to. */
  readonly latest: CouplingEdge
  readonly before: CouplingEdge | undefined
}

export function goOn(previous: EdgeLife | undefined, latest: CouplingEdge): EdgeLife {
  const before = previous !== undefined && isNewLife(previous.latest, latest) ? previous.edge : previous?.before
  return { edge: before === undefined ? latest : joined(before, latest), latest, before }
}

/** A clock that was set moves the first use too, so that the totals must have fallen as well. */
function isNewLife(last: CouplingEdge, latest: CouplingEdge): boolean {
  const hasFallen =
    latest.openedAfter < last.openedAfter ||
    latest.openedAlone < last.openedAlone ||
    latest.forwardIn < last.forwardIn ||
    latest.forwardOut < last.forwardOut ||
    latest.backwardIn < last.backwardIn ||
    latest.backwardOut < last.backwardOut ||
    latest.forward.n < last.forward.n ||
    latest.backward.n < last.backward.n
  return hasFallen && latest.firstUs > last.lastUs
}

function joined(before: CouplingEdge, latest: CouplingEdge): CouplingEdge {
  return {
    ...latest,
    openedAfter: before.openedAfter + latest.openedAfter,
    openedAlone: before.openedAlone + latest.openedAlone,
    delayMinNs: soonest(before, latest),
    delayLog2: before.delayLog2 + latest.delayLog2,
    forwardIn: before.forwardIn + latest.forwardIn,
    forwardOut: before.forwardOut + latest.forwardOut,
    backwardIn: before.backwardIn + latest.backwardIn,
    backwardOut: before.backwardOut + latest.backwardOut,
    forward: addMoments(withOpenTurn(before.forward, before.openForward), latest.forward),
    backward: addMoments(withOpenTurn(before.backward, before.openBackward), latest.backward),
    order: addTurnOrder(before.order, latest.order),
    firstUs: before.firstUs,
  }
}

/** Without a dial after A spoke there is no delay. */
function soonest(a: CouplingEdge, b: CouplingEdge): number {
  if (a.openedAfter === 0) return b.delayMinNs
  return b.openedAfter === 0 ? a.delayMinNs : Math.min(a.delayMinNs, b.delayMinNs)
}
