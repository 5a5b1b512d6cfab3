import { describe, expect, it } from "vitest"
import type { CouplingEdge } from "../../domain/coupling.js"
import { withOpenTurn } from "../../domain/moments.js"
import { EdgeSums, type OutsideRole } from "./edge-sums.js"
import { judge } from "./judge.js"
import { anEdge, noMoments } from "../../testing/couplings.js"

const opaque: OutsideRole = { sshClient: false, openedUs: 0 }
const ssh: OutsideRole = { sshClient: true, openedUs: 0 }

type Turns = readonly (readonly [number, number])[]

function edgeWith(forward: Turns, backward: Turns, changes: Partial<CouplingEdge> = {}): CouplingEdge {
  const sums = (turns: Turns) => turns.reduce((m, [x, y]) => withOpenTurn(m, { x, y }), noMoments)
  const total = (turns: Turns, i: 0 | 1) => turns.reduce((sum, turn) => sum + turn[i], 0)
  return anEdge({
    openedAfter: forward.length,
    delayMinNs: 50_000,
    forwardIn: total(forward, 0),
    forwardOut: total(forward, 1),
    backwardIn: total(backward, 0),
    backwardOut: total(backward, 1),
    forward: sums(forward),
    backward: sums(backward),
    firstUs: 60_000_000,
    lastUs: 61_000_000,
    ...changes,
  })
}

const verdictOf = (edge: CouplingEdge, role = opaque) => judge(new EdgeSums(edge, role))

describe("judge finds", () => {
  it("an ssh -R after one request, as it was traced", () => {
    expect(verdictOf(edgeWith([[116, 80]], [[122, 156]]), ssh)?.score).toBe(0.95)
  })

  it("a compressed ssh -R after two channels, although nothing is conserved", () => {
    const edge = edgeWith(
      [
        [72, 80],
        [72, 81],
      ],
      [
        [122, 80],
        [3114, 104],
      ],
      { openedAfter: 6 },
    )
    expect(verdictOf(edge, ssh)).toMatchObject({ score: 0.9, reason: "ssh-client-dials-inside" })
  })

  it("a plain relay after one turn each way", () => {
    expect(verdictOf(edgeWith([[80, 80]], [[122, 122]]))).toMatchObject({ score: 0.95, reason: "bytes-exact" })
  })

  it("a relay in TLS once sizes have varied", () => {
    const sizes = [80, 81, 83, 80, 180]
    const edge = edgeWith(
      sizes.map((s) => [s + 29, s]),
      sizes.map((s) => [s * 40, s * 40 + 58]),
    )
    expect(verdictOf(edge)).toMatchObject({ score: 0.9, reason: "bytes-conserved" })
  })

  it("a plain relay that dialled before the far side spoke, after two turns", () => {
    const forward: Turns = [
      [31, 31],
      [32, 32],
    ]
    const backward: Turns = [
      [122, 122],
      [613, 613],
    ]
    const turns = (n: number) => edgeWith(forward.slice(0, n), backward.slice(0, n), { openedAfter: 0 })
    expect(verdictOf(turns(2))?.score).toBe(0.9)
    expect(verdictOf(turns(1))).toBeUndefined()
  })

  it("a relay whose inner connection was open before, with more turns", () => {
    const sizes = [80, 300, 90, 1200, 70, 85]
    const edge = edgeWith(
      sizes.map((s) => [s + 8, s]),
      sizes.map((s) => [s * 3, s * 3 + 8]),
      { openedAfter: 0 },
    )
    expect(verdictOf(edge)?.score).toBeGreaterThanOrEqual(0.7)
  })
})

describe("judge stays quiet about", () => {
  it("a subscriber that opens a database connection per message (as measured)", () => {
    expect(
      verdictOf(
        edgeWith(
          [
            [46, 57],
            [926, 138],
            [5026, 139],
          ],
          [
            [25, 7],
            [25, 7],
            [25, 7],
          ],
        ),
      ),
    ).toBeUndefined()
  })

  it("a subscriber that stores the whole message and acknowledges it", () => {
    const sizes = [46, 926, 5026, 300, 800]
    expect(
      verdictOf(
        edgeWith(
          sizes.map((s) => [s, s]),
          sizes.map(() => [25, 30]),
        ),
      )?.score ?? 0,
    ).toBeLessThan(0.5)
  })

  it("a client that answers pushed queries with the rows", () => {
    const rows = [2610, 400, 9000, 77]
    const edge = edgeWith(
      rows.map(() => [1289, 31]),
      rows.map((r) => [r, r]),
      { openedAfter: 0 },
    )
    expect(verdictOf(edge)).toBeUndefined()
  })

  it("an agent loop whose posted context grows", () => {
    const fetched = [3000, 500, 8000, 1200]
    let context = 400
    const backward = fetched.map((f) => [f, (context += f + 90)] as const)
    const edge = edgeWith(
      [
        [240, 92],
        [310, 95],
        [180, 90],
        [420, 99],
      ],
      backward,
    )
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
  })

  it("an SSH client that fetches a ticket while it logs in", () => {
    const edge = edgeWith([[84, 220]], [[690, 740]], { firstUs: 300_000, openedAfter: 1 })
    expect(verdictOf(edge, ssh)?.score ?? 0).toBeLessThan(0.5)
  })

  it("ssh -A in use beyond a note", () => {
    const edge = edgeWith([[60, 30]], [[500, 540]], { kind: "unix", bPath: "/tmp/ssh-XXXX/agent.42", openedAfter: 0 })
    expect(verdictOf(edge, ssh)).toMatchObject({ score: 0.3, reason: "agent-forwarding" })
  })
})

describe("boundaries", () => {
  it("holds sizes that never vary below an alert, on both sides of two turns", () => {
    const constant = (n: number) => edgeWith(Array(n).fill([400, 380]), Array(n).fill([5000, 5020]))
    expect(verdictOf(constant(1))?.score).toBe(0.35)
    expect(verdictOf(constant(50))?.score).toBe(0.35)
  })
})
