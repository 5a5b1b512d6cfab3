import { describe, expect, it } from "vitest"
import type { CouplingEdge } from "../../domain/coupling.js"
import { withOpenTurn } from "./conservation.js"
import { hypotheses, judge, type OutsideRole } from "./judge.js"

const none = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 }
const opaque: OutsideRole = { sshClient: false, openedUs: 0 }
const ssh: OutsideRole = { sshClient: true, openedUs: 0 }

type Turns = readonly (readonly [number, number])[]

function anEdge(forward: Turns, backward: Turns, changes: Partial<CouplingEdge> = {}): CouplingEdge {
  const sums = (turns: Turns) => turns.reduce((m, [x, y]) => withOpenTurn(m, { x, y }), none)
  const total = (turns: Turns, i: 0 | 1) => turns.reduce((sum, turn) => sum + turn[i], 0)
  return {
    group: "g",
    kind: "tcp",
    aProcess: "1:1",
    bProcess: "1:1",
    aRemote: { address: "203.0.113.9", port: 443 },
    aCookie: "a",
    bRemote: { address: "127.0.0.1", port: 8000 },
    bPath: "",
    bCookie: "b",
    openedAfter: forward.length,
    openedAlone: 0,
    delayMinNs: 50_000,
    delayLog2: 0,
    forwardIn: total(forward, 0),
    forwardOut: total(forward, 1),
    backwardIn: total(backward, 0),
    backwardOut: total(backward, 1),
    forward: sums(forward),
    backward: sums(backward),
    openForward: { x: 0, y: 0 },
    openBackward: { x: 0, y: 0 },
    firstUs: 60_000_000,
    lastUs: 61_000_000,
    ...changes,
  }
}

const verdictOf = (edge: CouplingEdge, role = opaque) => judge([edge], () => role)

describe("judge finds", () => {
  it("an ssh -R after one request, as it was traced", () => {
    expect(verdictOf(anEdge([[116, 80]], [[122, 156]]), ssh)?.score).toBe(0.95)
  })

  it("a compressed ssh -R after two channels, although nothing is conserved", () => {
    const edge = anEdge(
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
    expect(verdictOf(anEdge([[80, 80]], [[122, 122]]))).toMatchObject({ score: 0.95, reason: "bytes-exact" })
  })

  it("a relay in TLS once sizes have varied", () => {
    const sizes = [80, 81, 83, 80, 180]
    const edge = anEdge(
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
    const turns = (n: number) => anEdge(forward.slice(0, n), backward.slice(0, n), { openedAfter: 0 })
    expect(verdictOf(turns(2))?.score).toBe(0.9)
    expect(verdictOf(turns(1))).toBeUndefined()
  })

  it("a relay whose inner connection was open before, with more turns", () => {
    const sizes = [80, 300, 90, 1200, 70, 85]
    const edge = anEdge(
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
        anEdge(
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
        anEdge(
          sizes.map((s) => [s, s]),
          sizes.map(() => [25, 30]),
        ),
      )?.score ?? 0,
    ).toBeLessThan(0.5)
  })

  it("a client that answers pushed queries with the rows", () => {
    const rows = [2610, 400, 9000, 77]
    const edge = anEdge(
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
    const edge = anEdge(
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
    const edge = anEdge([[84, 220]], [[690, 740]], { firstUs: 300_000, openedAfter: 1 })
    expect(verdictOf(edge, ssh)?.score ?? 0).toBeLessThan(0.5)
  })

  it("ssh -A in use beyond a note", () => {
    const edge = anEdge([[60, 30]], [[500, 540]], { kind: "unix", bPath: "/tmp/ssh-XXXX/agent.42", openedAfter: 0 })
    expect(verdictOf(edge, ssh)).toMatchObject({ score: 0.3, reason: "agent-forwarding" })
  })
})

describe("boundaries", () => {
  it("holds sizes that never vary below an alert, on both sides of two turns", () => {
    const constant = (n: number) => anEdge(Array(n).fill([400, 380]), Array(n).fill([5000, 5020]))
    expect(verdictOf(constant(1))?.score).toBe(0.35)
    expect(verdictOf(constant(50))?.score).toBe(0.35)
  })

  it("judges each edge, each destination and the whole group", () => {
    const a = anEdge([[10, 10]], [[10, 10]])
    const sameB = { ...a, aRemote: { address: "203.0.113.10", port: 443 } }
    const other = { ...a, bRemote: { address: "127.0.0.1", port: 9000 } }
    expect(hypotheses([a, sameB, other]).map((h) => h.length)).toEqual([1, 1, 1, 2, 3])
  })
})
