/** Whether an edge is the relay that a nonce asks for, to the byte. The collector's prove/sizes.rs computes the same sizes. */
import type { CouplingEdge, Moments } from "../../domain/coupling.js"

/** Turns each way; the nonce has a byte for each. */
const turns = 4
/** The smallest turn, in bytes: see exactMinBytes of the coupling detector. */
const minBytes = 32

/** Bytes of each turn, in their order: from outside inwards, and back. */
export interface ProofSizes {
  readonly forward: readonly number[]
  readonly backward: readonly number[]
}

/** `nonce` is 16 hex digits. */
export function proofSizes(nonce: string): ProofSizes {
  const sizes = Array.from(
    { length: 2 * turns },
    (_, i) => minBytes + Number.parseInt(nonce.slice(2 * i, 2 * i + 2), 16),
  )
  return { forward: sizes.slice(0, turns), backward: sizes.slice(turns) }
}

/**
 * All that a group of processes did is this one relay: one channel, dialled once after the outside spoke, every turn of its
 * size, and not a byte besides.
 */
export function isWholeRelay(edges: readonly CouplingEdge[], nonce: string): boolean {
  const [edge, ...others] = edges
  if (edge === undefined || others.length > 0) return false
  const { forward, backward } = proofSizes(nonce)
  return (
    edge.kind === "tcp" &&
    edge.openedAfter === 1 &&
    edge.openedAlone === 0 &&
    isExactly(edge.forward, edge.openForward, forward) &&
    isExactly(edge.backward, edge.openBackward, backward) &&
    edge.forwardIn === sum(forward) &&
    edge.forwardOut === sum(forward) &&
    edge.backwardIn === sum(backward) &&
    edge.backwardOut === sum(backward)
  )
}

/** The last turn may still be open: nothing came after it that would have ended it. */
function isExactly(
  closed: Moments,
  open: { readonly x: number; readonly y: number },
  sizes: readonly number[],
): boolean {
  const last = open.x > 0 || open.y > 0 ? 1 : 0
  const squares = sum(sizes.map((size) => size * size))
  return (
    closed.n + last === sizes.length &&
    closed.x + open.x === sum(sizes) &&
    closed.y + open.y === sum(sizes) &&
    closed.xx + open.x * open.x === squares &&
    closed.yy + open.y * open.y === squares &&
    closed.xy + open.x * open.y === squares
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
