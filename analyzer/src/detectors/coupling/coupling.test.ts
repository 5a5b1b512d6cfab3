import { beforeEach, describe, expect, it } from "vitest"
import type { CouplingEdge } from "../../domain/coupling.js"
import { withOpenTurn } from "../../domain/moments.js"
import { coupling } from "./coupling.js"
import { at, startUs } from "../../testing/time.js"
import { sshClient, anUpdate } from "../../testing/connections.js"
import { anEdge, noMoments } from "../../testing/couplings.js"
import { noTurnOrder } from "../../domain/turn-order.js"
import { aProcess } from "../../testing/processes.js"
import { DetectorRun } from "../../testing/trackers.js"

type Turns = readonly (readonly [number, number])[]

const moments = (turns: Turns) => turns.reduce((sum, [x, y]) => withOpenTurn(sum, { x, y }), noMoments)

/** An edge of the connection of `anUpdate`, a minute after that was opened. */
function edge(forward: Turns, backward: Turns, changes: Partial<CouplingEdge> = {}): CouplingEdge {
  return anEdge({
    forward: moments(forward),
    backward: moments(backward),
    firstUs: at(60),
    lastUs: at(60),
    ...changes,
  })
}

/** A plain relay of one turn each way. */
const relay = (changes: Partial<CouplingEdge> = {}) => edge([[80, 80]], [[122, 122]], changes)
/** Nothing is conserved: only the role in SSH can make a claim of it. */
const compressed = (changes: Partial<CouplingEdge> = {}) => edge([[72, 80]], [[3114, 104]], changes)

let host: DetectorRun
beforeEach(() => {
  host = new DetectorRun(coupling())
  host.step(startUs, { processes: [aProcess(["relay"])], connections: [anUpdate()] })
})

describe("a relay from outside to inside", () => {
  it("is claimed with its places and what went through", () => {
    const [claim, ...more] = host.step(at(60), { edges: [relay({ forwardOut: 80, backwardIn: 122 })] })
    expect(more).toEqual([])
    expect(claim).toMatchObject({
      class: "reverse_tunnel",
      subject: relay().group,
      score: 0.9,
      process: "4711:1",
      cookie: anUpdate().cookie,
      status: "active",
      evidence: [{ facts: { reason: "bytes-exact" } }, { kind: "odds" }, { facts: { inside: "127.0.0.1:8000" } }],
    })
    expect(claim?.summary).toBe(
      "relay lets 203.0.113.9:443 reach 127.0.0.1:8000 inside; relay connected there once right after 203.0.113.9:443 spoke. 80 B went in, 122 B came out.",
    )
  })

  it("is one claim for all that its processes reach", () => {
    const other = relay({ bRemote: { address: "127.0.0.1", port: 9000 } })
    const claims = host.step(at(60), { edges: [relay(), other] })
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(1)
    expect(host.step(at(61), { edges: [relay({ group: "2", lastUs: at(61) })] })).toMatchObject([{ subject: "2" }])
  })

  it("keeps its process where another one of the workload dials inside", () => {
    host.step(at(60), { edges: [relay()] })
    const beside = relay({
      ...{ joinedBy: "workload", bProcess: "4712:1", bRemote: { address: "127.0.0.1", port: 9000 } },
      ...{ firstUs: at(61), lastUs: at(61) },
    })
    const claims = host.step(at(61), { edges: [beside] })
    expect(claims.filter(({ subject }) => subject === relay().group)).toEqual([])
  })

  it("does not fall behind what was claimed already", () => {
    host.step(at(60), { edges: [relay()] })
    const weaker = edge([[90, 72]], [[190, 250]], { lastUs: at(61) })
    expect(host.step(at(61), { edges: [weaker] })).toEqual([])
  })

  it("is claimed with the first bytes of the connection where these decide", () => {
    expect(host.step(at(60), { edges: [compressed()] })).toEqual([])
    const identified = anUpdate({ reason: "identified", ssh: sshClient, observedUs: at(61) })
    expect(host.step(at(61), { connections: [identified] })).toMatchObject([
      { score: 0.9, attack: ["T1572", "T1090", "T1021.004"] },
    ])
  })
})

describe("its end", () => {
  const closed = anUpdate({ reason: "closed", observedUs: at(70) })

  it("comes with that of its connection, once", () => {
    host.step(at(60), { edges: [relay()] })
    expect(host.step(at(61))).toEqual([])
    expect(host.step(at(70), { connections: [closed] })).toMatchObject([
      { subject: relay().group, status: "ended", lastSeenUs: at(70) },
    ])
    expect(host.step(at(71))).toEqual([])
  })

  it("waits for the last connection of its processes to the same address", () => {
    const second = anUpdate({ cookie: "00000000000003e9" })
    host.step(at(60), { edges: [relay()], connections: [second] })
    expect(host.step(at(70), { connections: [closed] })).toEqual([])
    const last = { ...second, reason: "closed" as const, observedUs: at(80) }
    expect(host.step(at(80), { connections: [last] })).toMatchObject([{ status: "ended" }])
  })

  it("does not wait for one to another address", () => {
    const elsewhere = anUpdate({ cookie: "00000000000003e9", remote: { address: "198.51.100.7", port: 443 } })
    host.step(at(60), { edges: [relay()], connections: [elsewhere] })
    expect(host.step(at(70), { connections: [closed] })).toMatchObject([{ status: "ended" }])
  })
})

describe("an SSH client by name", () => {
  const older = { olderThanCollector: true, remote: { address: "203.0.113.9", port: 22 } }
  const claimsOf = (argv: readonly string[], changes: Parameters<typeof anUpdate>[0], exe?: string) => {
    const watch = new DetectorRun(coupling())
    const facts = aProcess(argv, exe === undefined ? {} : { exe })
    watch.step(startUs, { processes: [facts], connections: [anUpdate(changes)] })
    return watch.step(at(60), { edges: [compressed()] })
  }

  it.each([
    ["ssh", "/usr/bin/ssh"],
    ["ssh", "/usr/bin/ssh (deleted)"],
    ["plink", "/usr/bin/plink"],
    ["dbclient", "/usr/sbin/dropbear"],
  ])("%s of %s stands in where the first bytes were not seen", (name, exe) => {
    expect(claimsOf([name, "host"], older, exe)).toMatchObject([
      { evidence: [{ facts: { reason: "ssh-client-dials-inside" } }, {}, {}] },
    ])
  })

  it.each([
    ["a connection seen from its start", ["ssh", "host"], { ...older, olderThanCollector: false }],
    ["another port", ["ssh", "host"], { ...older, remote: { address: "203.0.113.9", port: 2222 } }],
    ["another program", ["curl", "host"], older],
    ["the server of dropbear", ["dropbear"], older],
  ])("is not assumed of %s", (_what, argv, changes) => {
    expect(claimsOf(argv, changes)).toEqual([])
  })
})

describe("quiet about", () => {
  it.each([
    // Measured: each message is stored by a connection of its own, which answers with an acknowledgement.
    ["a subscriber that writes what it is pushed into a database", edge([[46, 57], [926, 138], [5026, 139]], [[25, 7], [25, 7], [25, 7]])], // prettier-ignore
    ["what has passed one way only", edge([[80, 80]], [])],
    ["programs that were started", relay({ kind: "exec" })],
  ])("%s", (_what, look) => {
    expect(host.step(at(60), { edges: [look] })).toEqual([])
  })

  it("sizes that are alike where nobody dialled, until they vary together over four turns", () => {
    const sizes = [80, 300, 90, 1200]
    const turns = (n: number) => sizes.slice(0, n).map((size) => [size + 8, size] as const)
    const answers = (n: number) => turns(n).map(([x, y]) => [y, x] as const)
    const kept = (n: number) => edge(turns(n), answers(n), { openedAfter: 0, order: noTurnOrder, lastUs: at(60 + n) })
    expect(host.step(at(63), { edges: [kept(3)] })).toEqual([])
    expect(host.step(at(64), { edges: [kept(4)] })).toMatchObject([{ class: "reverse_tunnel" }])
  })
})

describe("an SSH client's own sockets", () => {
  const unix = (bPath: string) =>
    edge([[28, 116]], [[60, 1_690]], { kind: "unix", bPath, bRemote: { address: "::", port: 0 }, openedAfter: 0 })
  const claimsOf = (argv: readonly string[], look: CouplingEdge) => {
    const watch = new DetectorRun(coupling())
    const facts = aProcess(argv, { exe: "/usr/bin/ssh" })
    watch.step(startUs, { processes: [facts], connections: [anUpdate({ ssh: sshClient })] })
    return watch.step(at(60), { edges: [look] })
  }

  it("are no way in: the one by which other clients share its connection", () => {
    const master = ["ssh", "-o", "ControlMaster=auto", "-o", "ControlPath=/home/u/.ansible/cp/58d563ba47", "host"]
    expect(claimsOf(master, unix("/home/u/.ansible/cp/58d563ba47.XCn72bbZQDBGenvA"))).toEqual([])
    expect(claimsOf(master, unix("/run/docker.sock"))).toMatchObject([{ score: 0.9 }])
  })

  it("stay a note: the agent that it forwards, wherever that is", () => {
    expect(claimsOf(["ssh", "-A", "host"], unix("/home/u/my.sock"))).toMatchObject([{ score: 0.3 }])
    expect(claimsOf(["ssh", "host"], unix("/home/u/my.sock"))).toMatchObject([{ score: 0.9 }])
  })
})
