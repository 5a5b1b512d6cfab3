import { describe, expect, it } from "vitest"
import type { ConnectionUpdate } from "../../domain/connection.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import { direction } from "./conservation.js"
import { coupling } from "./coupling.js"
import { EdgeSums } from "./edge-sums.js"
import { claimOf } from "./evidence.js"
import type { Verdict } from "./judge.js"
import { startUs } from "../../testing/time.js"
import { sshClient, sshServer, anUpdate } from "../../testing/connections.js"
import { anEdge, promptly } from "../../testing/couplings.js"
import { aProcess } from "../../testing/processes.js"
import { DetectorRun } from "../../testing/trackers.js"

const exact = direction({ n: 2, x: 200, y: 200, xx: 20_000, yy: 20_000, xy: 20_000 })
const framed = direction({ n: 1, x: 1_000, y: 1_036, xx: 1e6, yy: 1_073_296, xy: 1_036_000 })
const verdict: Verdict = {
  score: 0.9,
  confidence: 0.8,
  reason: "bytes-exact",
  forward: exact,
  backward: framed,
  opened: 1,
  observations: [
    { name: "backwardSizes", bits: 10 },
    { name: "own", bits: -6 },
  ],
  bits: 4,
}
const edge = (changes: Partial<CouplingEdge> = {}) =>
  anEdge({ aCookie: anUpdate().cookie, bProcess: "4711:1", ...changes })

function claim(
  edges: readonly CouplingEdge[],
  changes: Partial<Verdict> = {},
  connection: Partial<ConnectionUpdate> = {},
) {
  const host = new DetectorRun(coupling())
  host.step(startUs, { processes: [aProcess(["relay"])], connections: [anUpdate(connection)] })
  const [first = edge(), ...rest] = edges
  const role = { sshClient: false, openedUs: startUs }
  const sums = new EdgeSums(first, role)
  for (const other of rest) sums.add(other, role)
  const judged = { verdict: { ...verdict, ...changes }, edges: sums, places: edges.length }
  return claimOf("1", judged, host.view, undefined)
}

const texts = (...parameters: Parameters<typeof claim>) => claim(...parameters).evidence.map(({ text }) => text)

describe("the summary", () => {
  const to = (port: number) => edge({ bRemote: { address: "127.0.0.1", port } })

  it("names three places, and counts those beyond", () => {
    expect(claim([to(1), to(2), to(3)]).summary).toContain("reach 127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3 inside")
    expect(claim([to(1), to(2), to(3), to(4), to(5)]).summary).toContain("127.0.0.1:3 and 2 more places inside")
  })

  it("says how often B was opened, or nothing of it", () => {
    expect(claim([edge()], { opened: 7 }).summary).toContain("; relay connected there 7 times right after")
    expect(claim([edge()], { opened: 0 }).summary).toMatch(/^relay lets 203.0.113.9:443 reach 127.0.0.1:8000 inside\. /)
  })

  it("names sockets by their path", () => {
    expect(claim([edge({ kind: "unix", bPath: "/run/x.sock" })]).summary).toContain("reach /run/x.sock inside")
    expect(claim([edge({ kind: "unix", bPath: "" })]).summary).toContain("reach an unnamed socket inside")
  })

  it("names what is pooled of many places", () => {
    expect(claim([edge({ kind: "many" })]).summary).toContain("reach many other places inside")
  })

  it("does without a process that is not known", () => {
    expect(claim([edge({ bProcess: "1:1" })]).summary).toMatch(/^A process lets .* the process connected there once/)
  })
})

describe("the evidence", () => {
  it("has turns and bytes of both ways first", () => {
    const [first] = claim([edge()]).evidence
    expect(first).toMatchObject({
      kind: "conservation",
      facts: { reason: "bytes-exact", forward_turns: 2, forward_exact: true, backward_framing_bytes_per_turn: 36 },
    })
    expect(first.text).toBe(
      "In 2 turns 200 B came in from outside and 200 B went on inside; in 1 turn 1.0 kB came back and 1.0 kB left: not a byte was added or lost between the two, in both directions.",
    )
  })

  it("tells who was dialled after how long, or was open before", () => {
    const dialled = { forwardOut: 80, backwardIn: 1_220, delayMinNs: 50_000 }
    expect(texts([edge({ ...dialled, openedAfter: 1 })])[2]).toBe(
      "Once the far side spoke first and the process then connected to 127.0.0.1:8000, soonest after 0.05 ms; 80 B went in and 1.2 kB came back.",
    )
    expect(texts([edge({ ...dialled, openedAfter: 4 })])[2]).toMatch(/^4 times the far side spoke first/)
    const before = edge({ ...dialled, openedAfter: 0 })
    expect(texts([before])[2]).toMatch(
      /^What the far side said was passed to 127\.0\.0\.1:8000, which was open before;/,
    )
    expect(claim([before]).evidence[2]?.facts).toMatchObject({ delay_min_ns: 0 })
  })

  it("shows the eight edges that were dialled most", () => {
    const edges = Array.from({ length: 9 }, (_, i) =>
      edge({ openedAfter: i + 1, bRemote: { address: "::1", port: i } }),
    )
    const shown = claim(edges).evidence.slice(2)
    expect(shown.map(({ facts }) => facts["inside"])).toEqual([8, 7, 6, 5, 4, 3, 2, 1].map((port) => `[::1]:${port}`))
  })

  it("says what it rests on and what speaks against it", () => {
    expect(texts([edge()])[1]).toBe(
      "Evidence for somebody outside, in bits: sizes on the way out 10.0. Against: went on without the far side -6.0. In all 4.0.",
    )
  })

  it("says who waited for whom, where anybody did", () => {
    const order = promptly(2, { waited: 5, straight: 1, own: 1, prompted: 2, closedAfter: 6, streamed: 1 })
    expect(texts([edge({ order })])[1]).toBe(
      "Who waited for whom: 5 of 6 first writes to what was opened came after the far side had spoken again; 2 of 3 writes after an answer came after the far side had spoken again; 6 of 6 closings came after the far side's last word; answers went on once after their first part had left.",
    )
  })

  it("says what SSH says of the connection, and is silent where it says nothing", () => {
    expect(texts([edge()], {}, { ssh: sshClient }).at(-1)).toMatch(
      /is SSH by its first bytes, and this host is the client/,
    )
    expect(texts([edge()], {}, { ssh: sshServer }).at(-1)).toMatch(/this host is the server/)
    expect(claim([edge()]).evidence.map(({ kind }) => kind)).toEqual(["conservation", "odds", "coupling"])
  })
})
