import fc from "fast-check"
import { expect, it } from "vitest"
import { detectors } from "../detectors/registry.js"
import type { Batch } from "../domain/batch.js"
import type { View } from "../domain/view.js"
import { aBatch } from "../testing/batches.js"
import { anUpdate } from "../testing/connections.js"
import { anAttachment, anEdge } from "../testing/couplings.js"
import { aChild, keyOf } from "../testing/processes.js"
import { at } from "../testing/time.js"
import { aTracker } from "../testing/trackers.js"

/** A view that counts what is asked of it, and each thing that it hands out. */
function counting(view: View): { readonly view: View; readonly steps: () => number } {
  let steps = 0
  const counted = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null || !(Symbol.iterator in value)) return value
    const all = value as Iterable<unknown>
    return (function* () {
      for (const one of all) {
        steps += 1
        yield one
      }
    })()
  }
  const proxy = new Proxy(view, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== "function") return value
      return (...args: unknown[]) => {
        steps += 1
        return counted(Reflect.apply(value, target, args))
      }
    },
  })
  return { view: proxy, steps: () => steps }
}

const place = (n: number) => ({ address: "10.0.0.1", port: n })
const turn = { n: 1, x: 80, y: 80, xx: 6_400, yy: 6_400, xy: 6_400 }
const cookie = (n: number) => String(n).padStart(16, "0")
/** What record n of each kind adds to one group, one process, one parent, one user. */
const kinds: Readonly<Record<string, (n: number, second: number) => Partial<Batch>>> = {
  edges: (n, second) => ({
    edges: [anEdge({ aProcess: keyOf(1), bRemote: place(n), forward: turn, backward: turn, lastUs: at(second) })],
  }),
  connections: (n, second) => ({
    connections: [anUpdate({ cookie: cookie(n), process: keyOf(1), observedUs: at(second) })],
  }),
  processes: (n) => ({ processes: [aChild(10 + n, 1)] }),
  attachments: (n) => ({ attachments: [anAttachment({ process: keyOf(1), child: keyOf(10 + n) })] }),
}

/** Steps of all detectors for one more record of a kind when there are `size` of it. */
function stepsAt(kind: string, size: number): number {
  const tracker = aTracker()
  const all = detectors({ longLivedSsh: { afterSeconds: 600 } })
  const { view, steps } = counting(tracker)
  const run = (seq: number, parts: Partial<Batch>) => {
    for (const change of tracker.apply(aBatch(seq, { observedUs: at(seq), ...parts })))
      for (const detector of all) detector.observe(change, view)
    for (const detector of all) detector.settle?.(view)
    for (const detector of all) detector.tick(at(seq), view)
  }
  const recordsOf = kinds[kind] ?? ((): Partial<Batch> => ({}))
  run(1, { processes: [aChild(1)], connections: [anUpdate({ process: keyOf(1) })] })
  const parts = Array.from({ length: size }, (_, n) => recordsOf(n + 1, 2))
  for (const name of ["edges", "connections", "processes", "attachments"] as const) {
    const records = parts.flatMap((part): readonly unknown[] => part[name] ?? [])
    if (records.length > 0) run(2, { [name]: records })
  }
  const before = steps()
  run(3, recordsOf(size, 3))
  return steps() - before
}

it.each(Object.keys(kinds))(
  "asks no more of the view for one of very many %s than for one of few",
  (kind) => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 3_000 }), (size) => {
        expect(stepsAt(kind, size)).toBeLessThanOrEqual(stepsAt(kind, 300) + 20)
      }),
      { numRuns: 3 },
    )
  },
  60_000,
)
