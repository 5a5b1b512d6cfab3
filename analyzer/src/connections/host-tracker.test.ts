import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Change } from "../domain/detector.js"
import { nothingLost } from "../domain/lost.js"
import { aBatch } from "../testing/batches.js"
import { startUs, at } from "../testing/time.js"
import { aHost } from "../testing/hosts.js"
import { anOpening } from "../testing/connections.js"
import { anEdge, anAttachment } from "../testing/couplings.js"
import { aChild, keyOf } from "../testing/processes.js"
import { aTracker, apply } from "../testing/trackers.js"

describe("connections", () => {
  it("are merged into one row for each batch, the last reason on it", () => {
    const state = aTracker()
    const opened = anOpening({ bytesSent: 1 })
    const closed = anOpening({ reason: "closed", observedUs: at(1), bytesSent: 9, bytesReceived: 5 })
    const { rows, changes } = apply(state, aBatch(1, { connections: [opened, closed] }))
    expect(rows).toMatchObject([
      { reason: "closed", connection: { bytesSent: 9, closed: "closed", lastMovedUs: at(1) } },
    ])
    expect(changes).toMatchObject([
      { kind: "connection", previous: undefined },
      { kind: "connection", previous: { bytesSent: 1 }, connection: { closed: "closed" } },
    ])
    expect([...state.liveConnections()]).toEqual([])
  })

  it("show each change to its observer before the next one happens", () => {
    const state = aTracker()
    const seen: (number | undefined)[] = []
    const updates = [1, 2, 3].map((bytesSent) => anOpening({ reason: "moved", bytesSent, observedUs: at(bytesSent) }))
    for (const change of state.apply(aBatch(1, { connections: updates })))
      if (change.kind === "connection") seen.push(state.connection(change.connection.cookie)?.bytesSent)
    expect(seen).toEqual([1, 2, 3])
  })

  it("stay closed: late records change nothing", () => {
    const state = aTracker()
    apply(state, aBatch(1, { connections: [anOpening({ reason: "closed", bytesSent: 7 })] }))
    const late = [anOpening({ reason: "moved", bytesSent: 9 }), anOpening({ reason: "closed", bytesSent: 9 })]
    const { rows, changes } = apply(state, aBatch(2, { connections: late }))
    expect([...rows, ...changes]).toEqual([])
    expect(state.connection(anOpening().cookie)?.bytesSent).toBe(7)
  })

  it("are forgotten a minute after they closed", () => {
    const state = aTracker()
    apply(state, aBatch(1, { connections: [anOpening({ reason: "closed", observedUs: at(0) })] }))
    apply(state, aBatch(2, { observedUs: at(59) }))
    expect(state.connection(anOpening().cookie)).toBeDefined()
    apply(state, aBatch(3, { observedUs: at(60) }))
    expect(state.connection(anOpening().cookie)).toBeUndefined()
  })

  it("follow their owner", () => {
    const state = aTracker()
    const [parent, child] = [aChild(1), aChild(2, 1)]
    apply(state, aBatch(1, { processes: [parent, child], connections: [anOpening({ process: parent.key })] }))
    expect([...state.connectionsOf(parent.key)]).toHaveLength(1)
    const moved = anOpening({ reason: "moved", process: child.key, observedUs: at(1) })
    const { rows } = apply(state, aBatch(2, { connections: [moved] }))
    expect([...state.connectionsOf(parent.key)]).toEqual([])
    expect([...state.connectionsOf(child.key)]).toHaveLength(1)
    expect(rows[0]?.process?.pid).toBe(2)
  })

  it("keep what was seen of them, whatever comes later", () => {
    const state = aTracker()
    const ssh = { localIdent: true, remoteIdent: false, localClient: true, remoteClient: false }
    const exchanges = { remoteLed: 5, remoteLedAnswered: 5, localLed: 1, localLedAnswered: 1, localReplyLog2: 1, remoteReplyLog2: 1, sameSizeAnswers: 1, strictAlternations: 1, answerBytes: 1 } // prettier-ignore
    const first = anOpening({ ssh, exchanges, initiator: "local", route: "tunnel", openedUs: at(-5) })
    const later = anOpening({
      reason: "moved",
      initiator: "unknown",
      established: false,
      olderThanCollector: true,
      openedUs: at(3),
      observedUs: at(4),
      ssh: { localIdent: false, remoteIdent: true, localClient: false, remoteClient: false },
      exchanges: { ...exchanges, remoteLed: 1, localLed: 0 },
    })
    apply(state, aBatch(1, { connections: [first, later] }))
    expect(state.connection(first.cookie)).toMatchObject({
      ssh: { localIdent: true, remoteIdent: true, localClient: true, remoteClient: false },
      exchanges: { remoteLed: 5 },
      initiator: "local",
      route: "tunnel",
      established: true,
      olderThanCollector: false,
      openedUs: at(-5),
    })
  })

  it("never lose bytes, in whatever order and however often records come", () => {
    const record = fc.record({
      observedUs: fc.nat(1_000).map((ms) => startUs + ms),
      bytesSent: fc.nat(1_000),
      bytesReceived: fc.nat(1_000),
      reason: fc.constantFrom("opened" as const, "moved" as const),
    })
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
        const state = aTracker()
        const [sent, received]: [number[], number[]] = [[], []]
        for (const [seq, changes] of records.entries()) {
          apply(state, aBatch(seq + 1, { connections: [anOpening(changes)] }))
          const known = state.connection(anOpening().cookie)
          sent.push(known?.bytesSent ?? -1)
          received.push(known?.bytesReceived ?? -1)
        }
        expect(sent).toEqual(sent.toSorted((a, b) => a - b))
        expect(received).toEqual(received.toSorted((a, b) => a - b))
        expect(sent.at(-1)).toBe(Math.max(...records.map(({ bytesSent }) => bytesSent)))
      }),
    )
  })

  it("never exceed their cap, and what was given up is counted", () => {
    const cookies = fc.array(fc.nat(40), { maxLength: 200 })
    fc.assert(
      fc.property(cookies, (numbers) => {
        const state = aTracker({ liveConnections: 10 })
        const seen = new Set<string>()
        for (const [seq, number] of numbers.entries()) {
          const cookie = String(number).padStart(16, "0")
          const before = state.connection(cookie)
          if (before === undefined) seen.add(`${seq} ${cookie}`)
          apply(state, aBatch(seq + 1, { connections: [anOpening({ cookie, reason: "moved" })] }))
          expect(state.counts.liveConnections).toBeLessThanOrEqual(10)
        }
        expect(state.counts.liveConnections + state.counts.evicted.connection).toBe(seen.size)
      }),
    )
  })

  it("to the outside are given up last", () => {
    const state = aTracker({ liveConnections: 3 })
    const inside = (n: number) => anOpening({ cookie: `inside-${n}`, remote: { address: "10.0.0.9", port: n } })
    apply(state, aBatch(1, { connections: [anOpening(), inside(1), inside(2), inside(3), inside(4)] }))
    expect([...state.liveConnections()].map(({ cookie }) => cookie)).toContain(anOpening().cookie)
    expect(state.counts.evicted.connection).toBe(2)
  })
})

describe("a snapshot", () => {
  const known = ["a", "b"].map((cookie) => anOpening({ cookie }))

  it("closes what it does not name, and not before its last part", () => {
    const state = aTracker()
    apply(state, aBatch(1, { observedUs: at(1), connections: known }))
    apply(state, aBatch(2, { observedUs: at(2), snapshot: true, more: true, connections: [] }))
    apply(state, aBatch(3, { observedUs: at(9), connections: [] }))
    const b = anOpening({ cookie: "b", reason: "moved", observedUs: at(9) })
    const last = apply(state, aBatch(4, { observedUs: at(2.1), snapshot: true, connections: [b] }))
    expect(last.rows).toMatchObject([{ reason: "closed", connection: { cookie: "a", closed: "vanished" } }])
    expect(last.rows[0]?.connection.observedUs).toBe(at(2))
  })

  it("waits for the end of what it does not name", () => {
    const state = aTracker()
    apply(state, aBatch(1, { observedUs: at(1), connections: known }))
    const taken = apply(state, aBatch(2, { observedUs: at(2), snapshot: true }))
    const end = anOpening({ cookie: "a", reason: "closed", observedUs: at(1.9), bytesSent: 77 })
    const exact = apply(state, aBatch(3, { observedUs: at(2.2), connections: [end] }))
    const waited = apply(state, aBatch(4, { observedUs: at(3.9) }))
    const over = apply(state, aBatch(5, { observedUs: at(4) }))
    expect([taken.rows, waited.rows]).toEqual([[], []])
    expect(exact.rows).toMatchObject([{ connection: { cookie: "a", closed: "closed", bytesSent: 77 } }])
    expect(over.rows).toMatchObject([{ connection: { cookie: "b", closed: "vanished" } }])
  })

  it("leaves alone what it did not name when it moves again", () => {
    const state = aTracker()
    apply(state, aBatch(1, { observedUs: at(1), connections: known }))
    apply(state, aBatch(2, { observedUs: at(2), snapshot: true }))
    const moved = anOpening({ cookie: "a", reason: "moved", observedUs: at(3), bytesSent: 1 })
    apply(state, aBatch(3, { observedUs: at(3), connections: [moved] }))
    apply(state, aBatch(4, { observedUs: at(9) }))
    expect([...state.liveConnections()].map(({ cookie }) => cookie)).toEqual(["a"])
  })

  it("leaves alone what opened after it was taken, and UDP", () => {
    const state = aTracker()
    const late = anOpening({ cookie: "late", observedUs: at(1) })
    apply(state, aBatch(1, { connections: [late, anOpening({ cookie: "dns", protocol: "udp" })] }))
    apply(state, aBatch(2, { snapshot: true, observedUs: at(0.5) }))
    expect(apply(state, aBatch(3, { observedUs: at(10) })).rows).toEqual([])
    expect([...state.liveConnections()]).toHaveLength(2)
  })

  it("makes no row of what it only repeats", () => {
    const state = aTracker()
    apply(state, aBatch(1, { connections: known }))
    const repeated = known.map((update) => ({ ...update, reason: "moved" as const, observedUs: at(1) }))
    expect(apply(state, aBatch(2, { snapshot: true, connections: repeated })).rows).toEqual([])
    const grown = repeated.map((update) => ({ ...update, bytesSent: 1, observedUs: at(2) }))
    expect(apply(state, aBatch(3, { snapshot: true, connections: grown })).rows).toHaveLength(2)
  })
})

describe("what was silent for long", () => {
  it("closes when it is UDP", () => {
    const state = aTracker()
    const tcp = anOpening({ cookie: "tcp" })
    apply(state, aBatch(1, { connections: [tcp, anOpening({ cookie: "udp", protocol: "udp" })] }))
    apply(state, aBatch(2, { observedUs: at(59 * 60) }))
    expect(state.connection("udp")?.closed).toBeUndefined()
    const { rows } = apply(state, aBatch(3, { observedUs: at(61 * 60) }))
    expect(rows).toMatchObject([{ reason: "closed", connection: { cookie: "udp", closed: "vanished" } }])
    expect(state.connection("tcp")?.closed).toBeUndefined()
  })

  it("is forgotten when it is an edge", () => {
    const state = aTracker()
    apply(state, aBatch(1, { edges: [anEdge()] }))
    apply(state, aBatch(2, { observedUs: at(3_599) }))
    expect(state.edgesOf("0000000000000001")).toHaveLength(1)
    apply(state, aBatch(3, { observedUs: at(3_600) }))
    expect([...state.edgesOfConnection(anEdge().aCookie)]).toEqual([])
    expect(state.edgesOf("0000000000000001")).toEqual([])
  })
})

describe("couplings", () => {
  it("give the edge as it was before, and pass over what is older", () => {
    const state = aTracker()
    apply(state, aBatch(1, { edges: [anEdge({ openedAfter: 1, lastUs: at(1) })] }))
    const { changes } = apply(state, aBatch(2, { edges: [anEdge({ openedAfter: 2, lastUs: at(2) })] }))
    expect(changes).toMatchObject([{ kind: "edge", edge: { openedAfter: 2 }, previous: { openedAfter: 1 } }])
    expect(apply(state, aBatch(3, { edges: [anEdge({ openedAfter: 1, lastUs: at(1) })] })).changes).toEqual([])
    expect(state.edgesOf("0000000000000001")).toMatchObject([{ openedAfter: 2 }])
  })

  it("keep apart what joined processes do at the same place, whatever joins them", () => {
    const state = aTracker()
    apply(state, aBatch(1, { edges: [anEdge(), anEdge({ joinedBy: "workload", lastUs: at(1) })] }))
    apply(state, aBatch(2, { edges: [anEdge({ joinedBy: "descriptor", lastUs: at(2) })] }))
    expect(state.edgesOf("0000000000000001").map(({ joinedBy }) => joinedBy)).toEqual(["lineage", "descriptor"])
  })

  it("are found by the socket that spoke last", () => {
    const state = aTracker()
    apply(state, aBatch(1, { edges: [anEdge({ aCookie: "old" })] }))
    apply(state, aBatch(2, { edges: [anEdge({ aCookie: "new", lastUs: at(1) })] }))
    expect([...state.edgesOfConnection("old")]).toEqual([])
    expect([...state.edgesOfConnection("new")]).toHaveLength(1)
  })

  it("start from zero with a new run of the collector", () => {
    const state = aTracker()
    apply(state, aBatch(1, { edges: [anEdge()], attachments: [anAttachment()] }))
    state.greet(aHost({ instance: "8" }))
    expect([...state.edgesOf("0000000000000001"), ...state.attachmentsOf(keyOf(1))]).toEqual([])
  })

  it("never exceed their cap", () => {
    const state = aTracker({ edges: 5, attachments: 5 })
    const many = Array.from({ length: 20 }, (_, i) => i)
    apply(state, aBatch(1, {
      edges: many.map((i) => anEdge({ bRemote: { address: "10.0.0.1", port: i } })),
      attachments: many.map((i) => anAttachment({ child: keyOf(i + 10) })),
    })) // prettier-ignore
    expect(state.edgesOf("0000000000000001")).toHaveLength(5)
    expect([...state.attachmentsOf(keyOf(1))]).toHaveLength(5)
    expect(state.counts).toMatchObject({ evicted: { edge: 15, attachment: 15 } })
  })
})

describe("attachments", () => {
  it("are found from both sides, and go when the collector says so or when a side ends", () => {
    const state = aTracker()
    apply(state, aBatch(1, { processes: [aChild(1), aChild(2), aChild(3)], attachments: [anAttachment(), anAttachment({ child: keyOf(3) })] })) // prettier-ignore
    expect([...state.attachmentsOf(keyOf(1))]).toHaveLength(2)
    expect([...state.attachmentsOf(keyOf(2))]).toHaveLength(1)
    const removed = apply(state, aBatch(2, { attachments: [anAttachment({ gone: true, observedUs: at(1) })] }))
    expect(removed.changes).toMatchObject([
      { kind: "attachment", attachment: { gone: true }, previous: { gone: false } },
    ])
    const ended = apply(state, aBatch(3, { exited: [keyOf(3)] }))
    expect(ended.changes).toMatchObject([{ kind: "attachment", attachment: { gone: true } }, { kind: "exit" }])
    expect([1, 2, 3].flatMap((pid) => [...state.attachmentsOf(keyOf(pid))])).toEqual([])
  })
})

it("looks for silent datagrams once a minute", () => {
  const state = aTracker({ silentDatagramsUs: 1, datagramCheckUs: 60_000_000 })
  const silent = (second: number) =>
    apply(state, aBatch(second, { observedUs: at(second), connections: [anOpening({ cookie: `udp${second}`, protocol: "udp", observedUs: at(second - 1) })] })).rows.filter(({ reason }) => reason === "closed") // prettier-ignore
  expect(silent(1)).toHaveLength(1)
  expect(silent(60)).toHaveLength(0)
  expect(silent(61)).toHaveLength(2)
})

it("keeps event time at its latest, whatever a late batch says", () => {
  const state = aTracker()
  apply(state, aBatch(1, { observedUs: at(10) }))
  apply(state, aBatch(2, { observedUs: at(5) }))
  expect(state.nowUs).toBe(at(10))
})

it("closes everything when the host is gone", () => {
  const state = aTracker()
  apply(state, aBatch(1, { observedUs: at(0), connections: [anOpening(), anOpening({ cookie: "b" })] }))
  const changes = [...state.vanish()]
  expect(changes).toHaveLength(2)
  expect(state.takeRows().map(({ connection }) => connection.closed)).toEqual(["vanished", "vanished"])
  expect([...state.liveConnections()]).toEqual([])
})

describe("what is lost", () => {
  const lost = (ringExec: number) => ({ ...nothingLost, ringExec })
  const lostIn = (changes: readonly Change[]) => changes.filter(({ kind }) => kind === "lost")

  it("is told as what came on top, and not what an instance had lost before it was heard", () => {
    const state = aTracker()
    expect(lostIn(apply(state, aBatch(7, { lost: lost(500) })).changes)).toEqual([])
    expect(lostIn(apply(state, aBatch(8, { lost: lost(520) })).changes)).toEqual([
      { kind: "lost", lost: lost(20), evicted: 0 },
    ])
    expect(lostIn(apply(state, aBatch(9, { lost: lost(520) })).changes)).toEqual([])
    state.greet(aHost({ instance: "8" }))
    expect(lostIn(apply(state, aBatch(1, { lost: lost(600) })).changes)).toEqual([])
    expect(lostIn(apply(state, aBatch(2, { lost: lost(601) })).changes)).toMatchObject([{ lost: lost(1) }])
  })

  it("counts what the tracker gave up for lack of room", () => {
    const state = aTracker({ liveConnections: 2 })
    const connections = ["a", "b", "c", "d"].map((cookie) => anOpening({ cookie }))
    expect(lostIn(apply(state, aBatch(1, { connections })).changes)).toEqual([
      { kind: "lost", lost: nothingLost, evicted: 2 },
    ])
    expect(lostIn(apply(state, aBatch(2)).changes)).toEqual([])
  })
})

it("makes no row of ICMP, for which the store has no value", () => {
  const tracker = aTracker()
  const { changes, rows } = apply(tracker, aBatch(1, { connections: [anOpening({ protocol: "icmp" })] }))
  expect([changes.length, rows.length, tracker.counts.liveConnections]).toEqual([1, 0, 1])
})
