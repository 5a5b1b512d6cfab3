import { describe, expect, it } from "vitest"
import { aBatch } from "../testing/batches.js"
import type { CouplingEdge, CouplingPoint } from "../domain/coupling.js"
import type { Finding } from "../domain/finding.js"
import { CouplingCurves } from "./coupling-curves.js"
import { anUpdate } from "../testing/connections.js"
import { anEdge } from "../testing/couplings.js"
import { aFinding } from "../testing/findings.js"
import { at, startUs, secondUs } from "../testing/time.js"
import { aTracker } from "../testing/trackers.js"

const { cookie } = anUpdate()
const finding = aFinding()

/** A host on which `cookie` is open; `step` tells of edges at a second, and gives the points that come of it. */
function watching() {
  const state = aTracker()
  const samples = new CouplingCurves()
  let seq = 0
  const step = (second: number, edges: readonly Partial<CouplingEdge>[], findings: readonly Finding[] = []) => {
    const observedUs = at(second)
    const batch = aBatch((seq += 1), {
      observedUs,
      connections: seq === 1 ? [anUpdate()] : [],
      edges: edges.map((edge) => anEdge({ lastUs: observedUs, ...edge })),
    })
    for (const change of state.apply(batch)) samples.observe(change)
    return samples.advance(findings, state, observedUs)
  }
  return step
}

const points = (samples: readonly CouplingPoint[]) =>
  samples.map(({ atUs, forwardOut }) => [atUs - startUs, forwardOut])

describe("curves of couplings", () => {
  it("are kept for connections that a finding is about, and for no others", () => {
    const step = watching()
    expect(step(0, [{ forwardOut: 79 }])).toEqual([])
    expect(step(1, [{ forwardOut: 80 }], [finding])).toMatchObject([
      { cookie, forwardOut: 0, atUs: startUs },
      { cookie, forwardOut: 80, atUs: startUs + secondUs },
    ])
    expect(step(3, [{ aCookie: "00000000000000b2", forwardOut: 5 }])).toEqual([])
  })

  it("have at most one point a second, and the last one is not lost", () => {
    const step = watching()
    step(1, [{ forwardOut: 10 }], [finding])
    expect(points(step(1.2, [{ forwardOut: 20 }]))).toEqual([])
    expect(points(step(1.4, [{ forwardOut: 30 }]))).toEqual([])
    expect(points(step(2.5, []))).toEqual([[2.5 * secondUs, 30]])
    expect(points(step(4, []))).toEqual([])
  })

  it("are one for each place that is reached inside", () => {
    const step = watching()
    const to = (port: number) => ({ bRemote: { address: "127.0.0.1", port }, forwardOut: port })
    const samples = step(1, [to(8000), to(5432)], [finding])
    expect(samples.filter(({ forwardOut }) => forwardOut > 0).map(({ channel }) => channel)).toEqual([
      "127.0.0.1:8000",
      "127.0.0.1:5432",
    ])
  })

  it("go on from where they were when a coupling comes back and counts from zero", () => {
    const step = watching()
    step(1, [{ forwardOut: 100 }], [finding])
    expect(points(step(3, [{ forwardOut: 20 }]))).toEqual([[3 * secondUs, 120]])
    expect(points(step(5, [{ forwardOut: 25 }]))).toEqual([[5 * secondUs, 125]])
  })

  it("tell of many places as of one", () => {
    const step = watching()
    const samples = step(1, [{ kind: "many", forwardOut: 10 }], [finding])
    expect(new Set(samples.map(({ channel }) => channel))).toEqual(new Set(["many places"]))
  })

  it("stop for a finding that policy suppresses before it was told", () => {
    const step = watching()
    expect(step(1, [{ forwardOut: 10 }], [{ ...finding, status: "suppressed" }])).toEqual([])
  })

  it("end, when too many connections have some, for the user who has most", () => {
    const state = aTracker()
    const curves = new CouplingCurves()
    const edges = [anEdge({ forwardOut: 10, lastUs: at(1) })]
    for (const change of state.apply(aBatch(1, { connections: [anUpdate()], edges }))) curves.observe(change)
    curves.advance([{ ...finding, process: { ...finding.process, uid: 1 } }], state, at(1))
    const flood = Array.from({ length: 1_010 }, (_, i) => ({
      ...finding,
      connection: { ...finding.connection, cookie: `c${i}` },
    }))
    curves.advance(flood, state, at(2))
    expect(curves.evicted).toBe(11)
    for (const change of state.apply(aBatch(2, { edges: [anEdge({ forwardOut: 30, lastUs: at(4) })] })))
      curves.observe(change)
    expect(points(curves.advance([], state, at(4)))).toEqual([[4 * secondUs, 30]])
  })
})
