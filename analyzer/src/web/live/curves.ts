import type { CouplingCurve } from "@backflow/page/contract"
import type { CouplingPoint } from "../../domain/coupling.js"
import { connectionKey } from "../../domain/keys.js"
import type { CouplingPointJson } from "../../documents/finding-json.js"

/** Connections whose curves are kept, the last sampled longest. */
const maxConnections = 2_000
/** Points of one connection; at one a second, the last ten minutes of one channel. */
const maxPoints = 600

/** The latest points of the curves behind findings: a fresh finding has its picture before the store has it. */
export class Curves {
  readonly #points = new Map<string, CouplingPointJson[]>()

  add(hostId: string, bootId: string, points: readonly CouplingPoint[]): void {
    for (const point of points) {
      const key = connectionKey({ hostId, bootId, cookie: point.cookie })
      const kept = this.#points.get(key) ?? []
      this.#points.delete(key)
      this.#points.set(key, kept)
      kept.push(pointOf(point))
      if (kept.length > maxPoints) kept.splice(0, kept.length - maxPoints)
    }
    for (const key of this.#points.keys()) {
      if (this.#points.size <= maxConnections) return
      this.#points.delete(key)
    }
  }

  of(hostId: string, bootId: string, cookie: string): readonly CouplingPointJson[] {
    return this.#points.get(connectionKey({ hostId, bootId, cookie })) ?? []
  }
}

function pointOf({ channel, atUs, forwardIn, forwardOut, backwardIn, backwardOut }: CouplingPoint): CouplingPointJson {
  return {
    channel,
    at_ms: Math.floor(atUs / 1_000),
    forward_in: forwardIn,
    forward_out: forwardOut,
    backward_in: backwardIn,
    backward_out: backwardOut,
  }
}

/**
 * One curve for each channel from points of any order, those of the store and those of memory: a moment that both have
 * counts once. Several couplings of one channel at one moment (sets of processes that share it) are not added up: the
 * larger totals stand.
 */
export function curvesOf(points: Iterable<CouplingPointJson>): CouplingCurve[] {
  const channels = new Map<string, Map<number, CouplingPointJson>>()
  for (const point of points) {
    const moments = channels.get(point.channel) ?? new Map<number, CouplingPointJson>()
    channels.set(point.channel, moments)
    const known = moments.get(point.at_ms)
    moments.set(point.at_ms, known === undefined ? point : larger(known, point))
  }
  return [...channels].map(([channel, moments]) => {
    const sorted = [...moments.values()].sort((a, b) => a.at_ms - b.at_ms)
    return {
      channel,
      at: sorted.map(({ at_ms }) => at_ms),
      forwardIn: sorted.map(({ forward_in }) => forward_in),
      forwardOut: sorted.map(({ forward_out }) => forward_out),
      backwardIn: sorted.map(({ backward_in }) => backward_in),
      backwardOut: sorted.map(({ backward_out }) => backward_out),
    }
  })
}

function larger(a: CouplingPointJson, b: CouplingPointJson): CouplingPointJson {
  return {
    channel: a.channel,
    at_ms: a.at_ms,
    forward_in: Math.max(a.forward_in, b.forward_in),
    forward_out: Math.max(a.forward_out, b.forward_out),
    backward_in: Math.max(a.backward_in, b.backward_in),
    backward_out: Math.max(a.backward_out, b.backward_out),
  }
}
