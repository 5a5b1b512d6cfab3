import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { HostTracker } from "../../connections/host-tracker.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Change, Claim } from "../../domain/detector.js"
import { withOpenTurn } from "../../domain/moments.js"
import { addTurnOrder } from "../../domain/turn-order.js"
import { aBatch } from "../../testing/batches.js"
import { anUpdate, noSsh, sshClient, sshServer } from "../../testing/connections.js"
import { anEdge, noMoments, promptly } from "../../testing/couplings.js"
import { aProcess } from "../../testing/processes.js"
import { at } from "../../testing/time.js"
import { aTracker } from "../../testing/trackers.js"
import { isSshClientByName } from "../ssh-client/programs.js"
import { isAgentOrDisplay } from "../ssh-client/sockets.js"
import { direction, framingOnTheOutside } from "./conservation.js"
import { coupling } from "./coupling.js"
import { judge as judgeSums } from "./judge.js"
import { EdgeSums } from "./edge-sums.js"
import { couplingThresholds as limits } from "./thresholds.js"

/**
 * The verdict on edges that are judged as one, by looking at each of them: what the running sums must come to. The numbers
 * alone are judged by the one function that production has.
 */
function verdictOn(edges: readonly CouplingEdge[], view: HostTracker) {
  const sum = (turns: (edge: CouplingEdge) => typeof noMoments) =>
    edges.map(turns).reduce((a, b) => ({ n: a.n + b.n, x: a.x + b.x, y: a.y + b.y, xx: a.xx + b.xx, yy: a.yy + b.yy, xy: a.xy + b.xy }), noMoments) // prettier-ignore
  const [forward, backward] = [
    sum((edge) => withOpenTurn(edge.forward, edge.openForward)),
    sum((edge) => withOpenTurn(edge.backward, edge.openBackward)),
  ]
  const opened = edges.reduce((all, edge) => all + edge.openedAfter, 0)
  if (forward.n === 0) return undefined
  const openedAlone = edges.reduce((all, edge) => all + edge.openedAlone, 0)
  const order = edges.map((edge) => edge.order).reduce((a, b) => addTurnOrder(a, b))
  const pooled = anEdge({ openedAfter: opened, openedAlone, forward, backward, order })
  const byNumbers = judgeSums(new EdgeSums(pooled, { sshClient: false, openedUs: 0 }))
  const roles = edges.map((edge) => roleOf(edge, view))
  if (backward.n === 0 || !roles.every(({ sshClient: isClient }) => isClient)) return byNumbers
  const { verdicts } = limits
  if (edges.every(({ kind }) => kind === "unix"))
    return edges.every(({ bPath }) => isAgentOrDisplay(bPath)) ? verdicts.agentForwarding : verdicts.sshUnixSocket
  const [inward, outward] = [direction(forward), direction(backward)]
  const ordered = framingOnTheOutside(inward, outward)
  if (opened === 0) return byNumbers
  const first = Math.min(...edges.map((edge, i) => edge.firstUs - (roles[i]?.openedUs ?? 0)))
  if (ordered) return verdicts.sshDialsInside
  return first < limits.loginUs && opened <= limits.loginDials
    ? verdicts.sshDialsAtLogin
    : verdicts.sshDialsInsideCompressed
}

function roleOf(edge: CouplingEdge, view: HostTracker) {
  const a = view.connection(edge.aCookie)
  if (a === undefined) return { sshClient: false, openedUs: edge.firstUs }
  const seen = a.ssh.localClient || (a.ssh.localIdent && a.ssh.remoteIdent && !a.ssh.remoteClient)
  const owner = a.process === undefined ? undefined : view.process(a.process)
  return { sshClient: seen || isSshClientByName(a, owner), openedUs: a.openedUs }
}

/** Each alone, all to one B, and all of the group. */
function hypotheses(edges: readonly CouplingEdge[]): readonly (readonly CouplingEdge[])[] {
  const places = new Map<string, CouplingEdge[]>()
  for (const edge of edges) {
    const place = `${edge.kind} ${edge.bRemote.address} ${edge.bRemote.port} ${edge.bPath}`
    if (edge.kind !== "many") places.set(place, [...(places.get(place) ?? []), edge])
  }
  return [...edges.map((edge) => [edge]), ...places.values(), ...(edges.length > 1 ? [edges] : [])]
}

const cookies = ["a0", "a1", "a2", "a3"]

const small = fc.integer({ min: 0, max: 400 })
const turnsOf = fc.array(fc.tuple(small, fc.constantFrom(0, 0, 0, 30, 200)), { maxLength: 4 })
const edgeChange = fc.record({
  group: fc.constantFrom("g", "g", "g", "h"),
  kind: fc.constantFrom("tcp", "tcp", "tcp", "unix", "exec", "many"),
  a: fc.constantFrom(0, 1, 2, 3),
  port: fc.integer({ min: 1, max: 4 }),
  openedAfter: fc.constantFrom(0, 1, 2, 5),
  waited: fc.constantFrom(0, 0, 1, 4),
  own: fc.constantFrom(0, 0, 0, 1),
  forward: turnsOf,
  backward: turnsOf,
  open: fc.tuple(small, small),
  late: fc.boolean(),
})
const step = fc.record({
  edges: fc.array(edgeChange, { maxLength: 4 }),
  identified: fc.option(fc.tuple(fc.constantFrom(0, 1, 2), fc.constantFrom(sshClient, sshServer, noSsh)), {
    freq: 4,
    nil: undefined,
  }),
  becomesSsh: fc.constantFrom(false, false, false, true),
})
const steps = fc.array(step, { minLength: 1, maxLength: 30 })

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function edgeOf(change: Step["edges"][number], second: number): CouplingEdge {
  const { group, kind, a, port, openedAfter, waited, own, forward, backward, open, late } = change
  const path = port === 1 ? "/tmp/ssh-XX/agent.1" : `/run/${port}`
  const place = { address: "127.0.0.1", port }
  return anEdge({
    group,
    kind,
    aCookie: cookies[a] ?? "",
    aRemote: { address: "203.0.113.9", port: 440 + a },
    bRemote: kind === "tcp" ? place : { address: "::", port: 0 },
    bPath: kind === "unix" ? path : "",
    openedAfter,
    order: promptly(openedAfter + waited, { waited, own }),
    // In, out: what is added on the way in comes off on the way out.
    forward: forward.reduce((sum, [x, extra]) => withOpenTurn(sum, { x: x + extra, y: x }), noMoments),
    backward: backward.reduce((sum, [x, extra]) => withOpenTurn(sum, { x, y: x + extra }), noMoments),
    openForward: { x: open[0], y: open[1] },
    firstUs: at(late ? 20 : 1),
    lastUs: at(second),
  })
}

/** Each batch with its changes, its claims, and the state after it. */
function* played(all: readonly Step[], limit: number) {
  const detector = coupling()
  const tracker = aTracker({ edges: limit })
  const own = (names: readonly string[]) => ({ processes: [aProcess(names)] })
  const connections = cookies.slice(0, 3).map((cookie, i) =>
    anUpdate({
      cookie,
      remote: { address: "203.0.113.9", port: i === 0 ? 22 : 440 + i },
      olderThanCollector: i === 0,
    }),
  )
  const batches = [
    aBatch(1, { ...own(["relay"]), connections }),
    ...all.map(({ edges, identified, becomesSsh }, i) =>
      aBatch(i + 2, {
        observedUs: at(30 + i),
        ...(becomesSsh ? own(["ssh"]) : {}),
        edges: edges.map((edge) => edgeOf(edge, 30 + i)),
        connections:
          identified === undefined
            ? []
            : [anUpdate({ ...connections[identified[0]], reason: "identified", ssh: identified[1], observedUs: at(30 + i) })], // prettier-ignore
      }),
    ),
  ]
  for (const batch of batches) {
    const changes: Change[] = []
    const claims: Claim[] = []
    for (const change of tracker.apply(batch)) {
      changes.push(change)
      claims.push(...detector.observe(change, tracker))
    }
    claims.push(...(detector.settle?.(tracker) ?? []))
    yield { tracker, changes, claims }
  }
}

const edgesOf = (tracker: HostTracker, group: string) => tracker.edgesOf(group).filter(({ kind }) => kind !== "exec")

describe("a group judged by its sums", () => {
  it("has the verdict that looking at every edge of it with every batch gives", () => {
    const strongest = new Map<string, number>()
    fc.assert(
      fc.property(steps, (all) => {
        strongest.clear()
        for (const { tracker, claims } of played(all, 1_000)) {
          for (const group of ["g", "h"]) {
            const verdicts = hypotheses(edgesOf(tracker, group)).map((edges) => verdictOn(edges, tracker))
            const score = Math.max(0, ...verdicts.map((verdict) => verdict?.score ?? 0))
            const before = strongest.get(group) ?? 0
            const claim = claims.find(({ subject }) => subject === group)
            if (score > before) expect(claim).toMatchObject({ score })
            if (claim !== undefined) {
              expect(claim.score).toBe(score)
              expect(verdicts.map((verdict) => verdict?.confidence)).toContain(claim.confidence)
            }
            strongest.set(group, Math.max(before, score))
          }
        }
      }),
      { numRuns: 50 },
    )
  }, 60_000)

  it("forgets what was given up for lack of room", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const strongest = new Map<string, number>()
        for (const { tracker, changes, claims } of played(all, 6)) {
          const changed = new Set(changes.flatMap((change) => (change.kind === "edge" ? [change.edge] : [])))
          for (const claim of claims) {
            const scores = hypotheses(edgesOf(tracker, claim.subject)).map((edges) => verdictOn(edges, tracker)?.score)
            expect(scores).toContain(claim.score)
          }
          for (const group of ["g", "h"]) {
            const touched = hypotheses(edgesOf(tracker, group)).filter((edges) => edges.some((e) => changed.has(e)))
            const score = Math.max(0, ...touched.map((edges) => verdictOn(edges, tracker)?.score ?? 0))
            const before = strongest.get(group) ?? 0
            const claim = claims.find(({ subject }) => subject === group)
            if (score > before) expect(claim?.score).toBeGreaterThanOrEqual(score)
            strongest.set(group, Math.max(before, claim?.score ?? 0))
          }
        }
      }),
      { numRuns: 50 },
    )
  }, 60_000)
})
