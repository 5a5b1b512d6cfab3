/**
 * One edge over the lives that its record in the kernel has: the collector forgets an edge that is silent for long, and
 * when it comes back it counts from zero. What went through before is not undone by that. Pure.
 */
import type { CouplingEdge } from "../domain/coupling.js"
import { addMoments, withOpenTurn } from "../domain/moments.js"

export interface EdgeLife {
  /** All lives together. */
  readonly edge: CouplingEdge
  /** As it was told last, and what earlier lives came to. */
  readonly told: CouplingEdge
  readonly before: CouplingEdge | undefined
}

export function goOn(previous: EdgeLife | undefined, told: CouplingEdge): EdgeLife {
  const before = previous !== undefined && isNewLife(previous.told, told) ? previous.edge : previous?.before
  return { edge: before === undefined ? told : joined(before, told), told, before }
}

/** A clock that was set moves the first use too, so that the totals must have fallen as well. */
function isNewLife(last: CouplingEdge, told: CouplingEdge): boolean {
  const hasFallen =
    told.openedAfter < last.openedAfter ||
    told.openedAlone < last.openedAlone ||
    told.forwardIn < last.forwardIn ||
    told.forwardOut < last.forwardOut ||
    told.backwardIn < last.backwardIn ||
    told.backwardOut < last.backwardOut ||
    told.forward.n < last.forward.n ||
    told.backward.n < last.backward.n
  return hasFallen && told.firstUs > last.lastUs
}

function joined(before: CouplingEdge, told: CouplingEdge): CouplingEdge {
  return {
    ...told,
    openedAfter: before.openedAfter + told.openedAfter,
    openedAlone: before.openedAlone + told.openedAlone,
    delayMinNs: soonest(before, told),
    delayLog2: before.delayLog2 + told.delayLog2,
    forwardIn: before.forwardIn + told.forwardIn,
    forwardOut: before.forwardOut + told.forwardOut,
    backwardIn: before.backwardIn + told.backwardIn,
    backwardOut: before.backwardOut + told.backwardOut,
    forward: addMoments(withOpenTurn(before.forward, before.openForward), told.forward),
    backward: addMoments(withOpenTurn(before.backward, before.openBackward), told.backward),
    firstUs: before.firstUs,
  }
}

/** Without a dial after A spoke there is no delay. */
function soonest(a: CouplingEdge, b: CouplingEdge): number {
  if (a.openedAfter === 0) return b.delayMinNs
  return b.openedAfter === 0 ? a.delayMinNs : Math.min(a.delayMinNs, b.delayMinNs)
}
