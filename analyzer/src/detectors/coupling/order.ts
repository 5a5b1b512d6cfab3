/** Who waited for whom, and how soon: evidence in bits from the kernel's counts of turns. Pure numbers. */
import type { TurnOrder } from "../../domain/coupling.js"
import { couplingThresholds } from "./thresholds.js"

const { order: weights, chance } = couplingThresholds

/** One reason to believe that somebody outside works through these processes, or, where negative, that nobody does. */
export interface Observation {
  readonly name: ObservationName
  readonly bits: number
}

export type OrderName = keyof typeof weights
export type ObservationName = OrderName | "forwardSizes" | "backwardSizes" | "chance" | "joinedByWorkload"

export const observationNames: readonly string[] = [
  "forwardSizes",
  "backwardSizes",
  ...Object.keys(weights),
  "chance",
  "joinedByWorkload",
]

/** What of `order` says anything. */
export function orderObservations(order: TurnOrder, openedAlone: number): readonly Observation[] {
  const neverPassed = order.passed === 0 ? 1 : 0
  // What a program does now and then beside its opposite is the exception, however often that comes to.
  const { waited, straight, closedAfter, closedAlone } = order
  const usual = {
    waited: waited * shareOf(waited, straight),
    closedAfter: closedAfter * shareOf(closedAfter, closedAlone),
  }
  const counts: Readonly<Record<OrderName, number>> = { ...order, ...usual, openedAlone, neverPassed }
  const names = Object.keys(weights) as OrderName[]
  return names.flatMap((name) => (counts[name] > 0 ? [{ name, bits: weighed(weights[name], counts[name]) }] : []))
}

function shareOf(count: number, opposite: number): number {
  return count === 0 ? 0 : count / (count + opposite)
}

function weighed([each, min, max]: readonly [number, number, number], count: number): number {
  return Math.min(max, Math.max(min, each * count))
}

/** Somebody was seen to wait for somebody, or not to: without that, order says nothing. */
export function hasOrder({ waited, straight, prompted, own, closedAfter, closedAlone }: TurnOrder): boolean {
  return waited + straight + prompted + own + closedAfter + closedAlone > 0
}

/** Against coincidence: 0 where nothing followed A. */
export function chanceBits(order: TurnOrder, openedAfter: number): number {
  const events = openedAfter + order.openedLate + order.waited + order.prompted + order.closedAfter
  const lead = order.leadLog2 / 256 - chance.leadBits * events
  return Math.min(chance.max, Math.max(chance.min, lead))
}
