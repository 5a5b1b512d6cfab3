import { describe, expect, it } from "vitest"
import type { CouplingEdge } from "../../domain/coupling.js"
import { withOpenTurn } from "../../domain/moments.js"
import { noTurnOrder } from "../../domain/turn-order.js"
import { EdgeSums, type OutsideRole } from "./edge-sums.js"
import { judge, weigh } from "./judge.js"
import { anEdge, noMoments, promptly } from "../../testing/couplings.js"

const opaque: OutsideRole = { sshClient: false, openedUs: 0 }
const ssh: OutsideRole = { sshClient: true, openedUs: 0 }

type Turns = readonly (readonly [number, number])[]

function edgeWith(forward: Turns, backward: Turns, changes: Partial<CouplingEdge> = {}): CouplingEdge {
  const sums = (turns: Turns) => turns.reduce((m, [x, y]) => withOpenTurn(m, { x, y }), noMoments)
  const total = (turns: Turns, i: 0 | 1) => turns.reduce((sum, turn) => sum + turn[i], 0)
  return anEdge({
    openedAfter: forward.length,
    delayMinNs: 50_000,
    order: promptly(changes.openedAfter ?? forward.length),
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
    expect(verdictOf(edgeWith([[80, 80]], [[122, 122]]))).toMatchObject({ score: 0.9, reason: "bytes-exact" })
  })

  it("a relay in TLS once sizes have varied", () => {
    const sizes = [80, 81, 83, 80, 180]
    const edge = edgeWith(
      sizes.map((s) => [s + 29, s]),
      sizes.map((s) => [s * 40, s * 40 + 58]),
    )
    expect(verdictOf(edge)).toMatchObject({ score: 0.95, reason: "bytes-conserved" })
  })

  it("a plain relay that dialled before the far side spoke", () => {
    const forward: Turns = [
      [31, 31],
      [32, 32],
    ]
    const backward: Turns = [
      [122, 122],
      [613, 613],
    ]
    expect(verdictOf(edgeWith(forward, backward, { openedAfter: 0 }))?.score).toBeGreaterThanOrEqual(0.9)
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
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
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

  it("a subscriber that stores each message by a connection that it keeps, and acknowledges it", () => {
    const sizes = [46, 926, 5_026, 300, 800, 77]
    const order = promptly(6, { straight: 1, prompted: 5, passed: 6 })
    const edge = edgeWith(sizes.map((s) => [s, s + 8]), sizes.map(() => [25, 7]), { openedAfter: 1, order }) // prettier-ignore
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
  })

  it("the same that closes what it kept when the outside has closed", () => {
    const sizes = [46, 926, 5_026, 300, 800, 77, 410, 2_200, 95, 640, 1_500, 70]
    const order = promptly(12, { straight: 1, prompted: 11, passed: 12, closedAfter: 1 })
    const edge = edgeWith(sizes.map((s) => [s, s + 8]), sizes.map(() => [120, 37]), { openedAfter: 1, order }) // prettier-ignore
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
  })

  it("a client that answers pushed queries with the rows, from a connection that it keeps", () => {
    const rows = [2_610, 400, 9_000, 77, 1_200]
    const order = promptly(6, { straight: 1, prompted: 5, passed: 6 })
    const edge = edgeWith(rows.map(() => [1_289, 31]), rows.map((r) => [r, r]), { openedAfter: 1, order }) // prettier-ignore
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
  })

  it("who dials the local port of an ssh -L, joined to it by nothing but the workload", () => {
    const order = { ...promptly(0), straight: 3, passed: 3, closedAlone: 3 }
    const edge = edgeWith([[260, 90]], [[192, 36]], { openedAfter: 3, joinedBy: "workload", order })
    expect(verdictOf(edge, ssh)).toBeUndefined()
  })

  it("a program with SSH as a library that fetches pages inside and uploads them", () => {
    const pages = [900, 4_900, 8_900, 12_900, 16_900, 20_900]
    const order = { ...promptly(6), straight: 6, passed: 6, closedAlone: 6 }
    const edge = edgeWith(pages.map(() => [340, 172]), pages.map((n) => [n + 190, n + 300]), { openedAfter: 6, order }) // prettier-ignore
    expect(verdictOf(edge, ssh)?.score ?? 0).toBeLessThan(0.5)
  })

  it("ssh -A in use beyond a note", () => {
    const edge = edgeWith([[60, 30]], [[500, 540]], { kind: "unix", bPath: "/tmp/ssh-XXXX/agent.42", openedAfter: 0 })
    expect(verdictOf(edge, ssh)).toMatchObject({ score: 0.3, reason: "agent-forwarding" })
  })
})

/** Turns as the kernel counted them of six requests through real tunnels. */
const order = (changes: Parameters<typeof promptly>[1]) => promptly(18, { passed: 6, ...changes })

describe("judge finds what sizes alone do not show", () => {
  const answers: Turns = [200, 813, 4_114, 20_115, 192, 805].map((size) => [size, size + 80])
  const constant: Turns = answers.map(() => [200, 91])

  it("a multiplexer in TLS whose requests hardly vary", () => {
    const edge = edgeWith(constant, answers, { order: order({ waited: 6, closedAfter: 6 }) })
    expect(verdictOf(edge)).toMatchObject({ score: 0.95 })
  })

  it("cells of constant size and rate", () => {
    const cells: Turns = answers.map(() => [1_024, 91])
    const edge = edgeWith(cells, answers.map(([x]) => [x, 1_024]), { order: order({ waited: 1, straight: 5, closedAfter: 6 }) }) // prettier-ignore
    expect(verdictOf(edge)).toMatchObject({ score: 0.65, reason: "turns-in-order" })
  })

  it("compression on the outside", () => {
    const edge = edgeWith(
      answers.map(() => [37, 87]),
      answers.map(([x]) => [x, Math.round(x * 0.3)]),
      { order: order({ waited: 4, straight: 2, streamed: 3, closedAfter: 6 }) },
    )
    expect(verdictOf(edge)?.score).toBeGreaterThanOrEqual(0.9)
  })

  it("headers that are added to each request", () => {
    const edge = edgeWith(
      answers.map(() => [100, 241]),
      answers,
      { order: order({ waited: 3, straight: 3, closedAfter: 6 }) },
    )
    expect(verdictOf(edge)?.score).toBeGreaterThanOrEqual(0.9)
  })

  it("answers that leave on another connection", () => {
    const edge = edgeWith(constant, [], { order: promptly(18, { waited: 5, straight: 1, closedAfter: 6 }) })
    expect(verdictOf(edge)?.score).toBeGreaterThanOrEqual(0.9)
  })

  it("one request, ever", () => {
    const edge = edgeWith([[100, 91]], [[413, 422]], { order: promptly(1, { straight: 1, passed: 1 }) })
    expect(verdictOf(edge)?.score).toBeGreaterThanOrEqual(0.5)
  })

  it("one request that came with what a QUIC connection probes its path with, closed when the far side did", () => {
    const once = promptly(2, { straight: 1, passed: 1, closedAfter: 1 })
    expect(verdictOf(edgeWith([[1_478, 91]], [[1_013, 1_038]], { order: once }))?.score).toBeGreaterThanOrEqual(0.5)
  })
})

describe("judge lets who waited for whom speak against it", () => {
  it("a bot that passes on commands and answers, in a conversation of its own", () => {
    const commands: Turns = [273, 335, 280, 350, 400, 290].map((size) => [size, size - 250])
    const replies: Turns = [300, 500, 800, 250, 410, 900].map((size) => [size, size + 270])
    const bot = promptly(1, { straight: 1, prompted: 11, own: 4, passed: 12, kept: 4 })
    expect(verdictOf(edgeWith(commands, replies, { openedAfter: 1, order: bot }))?.score ?? 0).toBeLessThan(0.5)
  })

  it("an agent that passes on the calls of its model, answers with all it knows by now, and began its session by itself", () => {
    const calls: Turns = [700, 420, 1_010, 380, 640].map((size) => [size + 20, size])
    let context = 2_000
    const replies: Turns = [3_000, 41_000, 6_000, 12_000, 65_000].map((size) => [size, (context += size / 3)])
    const agent = promptly(5, { prompted: 4, own: 1, passed: 5, kept: 1 })
    expect(verdictOf(edgeWith(calls, replies, { openedAfter: 0, order: agent }))?.score ?? 0).toBeLessThan(0.5)
  })

  it("a worker that fetches what it is told and reports it whole", () => {
    const jobs: Turns = [420, 455, 431, 460].map((size) => [size, 71])
    const reports: Turns = [6_500, 900, 12_000, 3_000].map((size) => [size, size - 90])
    const worker = promptly(4, { straight: 4, passed: 4, closedAlone: 4 })
    expect(verdictOf(edgeWith(jobs, reports, { order: worker }))?.score ?? 0).toBeLessThan(0.5)
  })

  it("a worker that is told once, and closes when it is told that its report came", () => {
    const worker = promptly(2, { straight: 1, passed: 1, closedAfter: 1 })
    expect(verdictOf(edgeWith([[420, 71]], [[6_500, 6_410]], { order: worker }))?.score ?? 0).toBeLessThan(0.5)
  })

  it("a client of a local proxy that uploads as much as it has fetched", () => {
    const fetched: Turns = [300, 5_000, 20_000, 90, 1_500, 700, 9_000].map((size) => [size + 250, size + 190])
    const proxy = { ...noTurnOrder, straight: 7, passed: 6, closedAlone: 7, leadLog2: 256 * 7 }
    const edge = edgeWith(fetched, fetched, { openedAfter: 7, joinedBy: "workload", order: proxy })
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
  })

  it.each([
    ["the number of a row for the number of a list", 72, 89, 0],
    ["as many bytes for as many", 4, 4, 9],
  ])("a consumer that stores each message whole, and acknowledges it with %s", (_, stored, acknowledged, opened) => {
    const messages: Turns = [1_840, 310, 2_900, 760, 1_210, 95, 640, 2_200, 1_500].map((size) => [size + 9, size])
    const acks: Turns = messages.map(() => [stored, acknowledged])
    const order = promptly(9, opened > 0 ? { straight: 9, passed: 9 } : { prompted: 9, passed: 9 })
    expect(verdictOf(edgeWith(messages, acks, { openedAfter: opened, order }))?.score ?? 0).toBeLessThan(0.5)
  })

  it("a program beside the one that is pushed to, which is handed what came whole and opens anew for each", () => {
    const pushed: Turns = [120, 340, 95, 800, 410, 233].map((size) => [size, size])
    const acknowledged: Turns = [210, 214, 209, 212, 210].map((size) => [size, size + 14])
    const order = promptly(6, { straight: 6, passed: 6, closedAlone: 6 })
    const edge = edgeWith(pushed, acknowledged, { joinedBy: "workload", order })
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
  })

  it("a subscriber that stores over a connection that it keeps, and closes when what he is pushed ends", () => {
    const stored: Turns = Array<readonly [number, number]>(12).fill([640, 640])
    const acknowledged: Turns = Array<readonly [number, number]>(12).fill([20, 24])
    const order = { ...promptly(0), leadLog2: 256 * 96, prompted: 11, passed: 12, closedAfter: 1 }
    const edge = edgeWith(stored, acknowledged, { openedAfter: 0, order })
    expect(verdictOf(edge)?.score ?? 0).toBeLessThan(0.5)
  })

  it("what follows an A that chats all the time", () => {
    const chat = { ...promptly(0), leadLog2: 256 * 1.44 * 12, waited: 6, closedAfter: 6, passed: 6 }
    const turns: Turns = Array<readonly [number, number]>(6).fill([700, 91])
    expect(verdictOf(edgeWith(turns, turns, { openedAfter: 0, order: chat }))?.score ?? 0).toBeLessThan(0.5)
  })
})

describe("boundaries", () => {
  it("counts sizes that never vary once, however often they repeat", () => {
    const constant = (n: number) => verdictOf(edgeWith(Array(n).fill([400, 380]), Array(n).fill([5000, 5020])))
    expect(constant(50)?.bits).toBeCloseTo(constant(1)?.bits ?? 0)
  })
})

describe("factors of observations", () => {
  // prettier-ignore
  const edge = edgeWith([[116, 80], [540, 504], [3036, 3000]], [[122, 158], [900, 936], [7000, 7036]])
  const bitsOf = (edges: EdgeSums, factors: Readonly<Record<string, number>>) => {
    const weighed = weigh(edges, new Map(Object.entries(factors)))
    return {
      total: weighed?.bits ?? 0,
      sizes: weighed?.observations.find(({ name }) => name === "backwardSizes")?.bits ?? 0,
    }
  }

  it("change what one of them weighs, and the rest is as before", () => {
    const relay = new EdgeSums(edge, opaque)
    const whole = bitsOf(relay, {})
    expect(whole.sizes).toBeGreaterThan(0)
    expect(bitsOf(relay, { backwardSizes: 0 })).toEqual({ total: whole.total - whole.sizes, sizes: 0 })
    expect(bitsOf(relay, { backwardSizes: 0.5 }).total).toBeCloseTo(whole.total - whole.sizes / 2)
  })

  it("change how much coincidence takes away", () => {
    const late = { ...edge, order: { ...promptly(0), leadLog2: 256, waited: 2, passed: 2 } }
    const sums = new EdgeSums({ ...late, openedAfter: 0 }, opaque)
    const [whole, half, without] = [1, 0.5, 0].map((chance) => bitsOf(sums, { chance }).total)
    expect(without).toBeGreaterThan(whole ?? 0)
    expect(half).toBeCloseTo(((whole ?? 0) + (without ?? 0)) / 2)
  })
})
