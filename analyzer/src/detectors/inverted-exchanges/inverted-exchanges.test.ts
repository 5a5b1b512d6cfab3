import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ConnectionUpdate, Exchanges } from "../../domain/connection.js"
import { scoringThresholds } from "../../scoring/thresholds.js"
import { invertedExchanges } from "./inverted-exchanges.js"
import { invertedScore, isInverted, isLongPoll, turnFeatures } from "./judge.js"
import { invertedExchangesThresholds } from "./thresholds.js"
import { startUs, secondUs } from "../../testing/time.js"
import { anUpdate, noExchanges, noSsh, sshClient, sshServer } from "../../testing/connections.js"
import { aProcess } from "../../testing/processes.js"
import { DetectorRun } from "../../testing/trackers.js"

const log2 = (ns: number, count: number) => Math.round(256 * Math.log2(ns) * count)

/** `remoteLed` exchanges, each answered after `localNs` with sizes that vary. */
function driven(remoteLed: number, changes: Partial<Exchanges> = {}, localNs = 500_000): Exchanges {
  return {
    ...noExchanges,
    remoteLed,
    remoteLedAnswered: remoteLed,
    localReplyLog2: log2(localNs, remoteLed),
    strictAlternations: Math.floor(remoteLed / 2),
    ...changes,
  }
}

const inverted = (x: Exchanges) => isInverted(turnFeatures(x))

describe("turn features on what was measured", () => {
  it.each([
    ["ssh -R in use", driven(160, { localLed: 2, localLedAnswered: 2, remoteReplyLog2: log2(157e6, 2) }), true],
    ["a driver-led worker", driven(52, { localLed: 3, localLedAnswered: 3, remoteReplyLog2: log2(16e6, 3) }), true],
    [
      "forward interactive",
      { ...noExchanges, localLed: 38, localLedAnswered: 38, remoteReplyLog2: log2(41e6, 38) },
      false,
    ],
    ["pushes without answer", { ...noExchanges, remoteLed: 60 }, false],
    [
      "a mining pool",
      driven(31, { localLed: 31, localLedAnswered: 31, remoteReplyLog2: log2(1e6, 31), remoteLedAnswered: 1 }),
      false,
    ],
    ["a program that prints by itself", { ...noExchanges, remoteLed: 200, remoteLedAnswered: 0, localLed: 3 }, false],
  ])("%s: %s", (_, exchanges, expected) => {
    expect(inverted(exchanges)).toBe(expected)
  })

  it("take a Kafka consumer for a long poll, and a shell not", () => {
    const consumer = driven(89, { sameSizeAnswers: 87, strictAlternations: 88 })
    expect(isLongPoll(turnFeatures(consumer))).toBe(true)
    expect(isLongPoll(turnFeatures(driven(89, { sameSizeAnswers: 40, strictAlternations: 88 })))).toBe(false)
    expect(isLongPoll(turnFeatures(driven(89, { sameSizeAnswers: 87, strictAlternations: 60 })))).toBe(false)
  })
})

describe("limits of inversion, both sides", () => {
  it.each([
    ["exchanges", driven(8), driven(7)],
    ["share led by the remote", driven(80, { localLed: 20 }), driven(79, { localLed: 21 })],
    ["share answered", driven(100, { remoteLedAnswered: 80 }), driven(100, { remoteLedAnswered: 79 })],
    ["reply time of a machine", driven(10, {}, 99e6), driven(10, {}, 102e6)],
    [
      "turnaround",
      driven(10, { localLed: 2, localLedAnswered: 2, remoteReplyLog2: log2(1_010_000, 2) }),
      driven(10, { localLed: 2, localLedAnswered: 2, remoteReplyLog2: log2(980_000, 2) }),
    ],
  ])("%s", (_, within, beyond) => {
    const adjusted = (x: Exchanges) => ({
      ...x,
      localReplyLog2: Math.round((x.localReplyLog2 * x.remoteLedAnswered) / x.remoteLed),
    })
    expect(inverted(adjusted(within))).toBe(true)
    expect(inverted(adjusted(beyond))).toBe(false)
  })
})

describe("score", () => {
  const counters = fc.record({
    led: fc.integer({ min: 1, max: 1000 }),
    answered: fc.double({ min: 0, max: 1, noNaN: true }),
    local: fc.integer({ min: 0, max: 1000 }),
    ns: fc.integer({ min: 1_000, max: 1_000_000_000 }),
  })
  const of = (c: { led: number; answered: number; local: number; ns: number }) => {
    const answered = Math.floor(c.led * c.answered)
    return invertedScore(
      turnFeatures(
        driven(c.led, { remoteLedAnswered: answered, localLed: c.local, localReplyLog2: log2(c.ns, answered) }),
      ),
    )
  }

  it("stays in 0..1 and below what wakes a person", () => {
    fc.assert(
      fc.property(counters, (c) => {
        expect(of(c)).toBeGreaterThanOrEqual(0)
        expect(of(c)).toBeLessThanOrEqual(invertedExchangesThresholds.maxScore)
      }),
    )
    expect(invertedExchangesThresholds.maxScore).toBeLessThan(scoringThresholds.bands.medium)
  })

  it("never rises when this host leads more or answers more slowly", () => {
    fc.assert(
      fc.property(counters, fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 1e9 }), (c, more, slower) => {
        expect(of({ ...c, local: c.local + more })).toBeLessThanOrEqual(of(c))
        expect(of({ ...c, ns: c.ns + slower })).toBeLessThanOrEqual(of(c) + 1e-3)
      }),
    )
  })
})

describe("the detector", () => {
  const consumer = { sameSizeAnswers: 30, strictAlternations: 31 }

  it("claims with the measures as evidence, and again when twice as many were seen", () => {
    const host = new DetectorRun(invertedExchanges())
    const [claim] = host.step(startUs, {
      processes: [aProcess(["python3", "w.py"])],
      connections: [anUpdate({ exchanges: driven(8) })],
    })
    expect(claim).toMatchObject({ class: "inverted_flow" })
    expect(claim?.evidence[0].facts).toMatchObject({
      remote_led: 8,
      remote_led_share: 1,
      answered_share: 1,
      long_poll: false,
    })
    const step = (n: number, count: number) =>
      host.step(startUs + n * secondUs, {
        connections: [anUpdate({ exchanges: driven(count), observedUs: startUs + n * secondUs })],
      })
    expect(step(1, 15)).toEqual([])
    expect(step(2, 16)).toHaveLength(1)
    const closed = anUpdate({ exchanges: driven(17), reason: "closed", observedUs: startUs + 3 * secondUs })
    expect(host.step(startUs + 3 * secondUs, { connections: [closed] })).toMatchObject([{ status: "ended" }])
  })

  it("holds a long poll below what is shown", () => {
    const [claim] = new DetectorRun(invertedExchanges()).step(startUs, {
      connections: [anUpdate({ exchanges: driven(32, consumer) })],
    })
    expect(claim?.score).toBeLessThan(scoringThresholds.bands.low)
    expect(claim?.evidence[0].facts).toMatchObject({ long_poll: true })
  })

  it.each([
    ["inside", { remote: { address: "10.0.0.5", port: 9092 } }],
    ["accepted", { initiator: "remote" as const }],
  ])("is quiet about what is %s", (_, changes) => {
    const host = new DetectorRun(invertedExchanges())
    expect(host.step(startUs, { connections: [anUpdate({ exchanges: driven(50), ...changes })] })).toEqual([])
  })
})

describe("an SSH session that a server of this host passes on", () => {
  const sshd = aProcess(["/usr/sbin/sshd", "-D"])
  const accepted = anUpdate({ cookie: "in", initiator: "remote", ssh: sshServer, remote: { address: "10.77.0.2", port: 50_000 } }) // prettier-ignore
  const onward = (exchanges: Exchanges, changes: Partial<ConnectionUpdate> = {}) =>
    anUpdate({ cookie: "out", ssh: sshClient, exchanges, ...changes })
  const claims = (...connections: readonly ConnectionUpdate[]) =>
    new DetectorRun(invertedExchanges())
      .step(startUs, { processes: [sshd], connections })
      .filter((claim) => claim.class === "reverse_tunnel")
  const used = driven(6, { answerBytes: 6 * 900, localLed: 2, localLedAnswered: 2, remoteReplyLog2: log2(20e6, 2) })

  it("is a way in when the far side leads and is answered", () => {
    const [claim] = claims(accepted, onward(used))
    expect(claim).toMatchObject({ score: 0.55, cookie: "out", process: "4711:1", status: "active" })
    expect(claim?.summary).toContain("sshd (pid 4711, uid 1000) on build-7, an SSH server, passes an SSH session on to")
    expect(claim?.summary).toContain("spoke first 6 times and got 900 bytes on average")
  })

  it.each([
    ["this end leads", onward(driven(6, { answerBytes: 5_400, localLed: 9, localLedAnswered: 9 }))],
    ["keep-alives are all that is answered", onward(driven(40, { answerBytes: 40 * 52 }))],
    ["the far side prints", onward({ ...noExchanges, remoteLed: 60, localLed: 2 })],
    ["it was used once", onward(driven(1, { answerBytes: 900 }))],
    ["it leads inside", onward(used, { remote: { address: "10.77.0.9", port: 22 } })],
    ["it is no SSH", onward(used, { ssh: noSsh })],
  ])("is none where %s", (_, update) => {
    expect(claims(accepted, update)).toEqual([])
  })

  it("is none of a client that has accepted nothing, or nothing by SSH", () => {
    expect(claims(onward(used))).toEqual([])
    expect(claims({ ...accepted, ssh: noSsh }, onward(used))).toEqual([])
  })

  it("ends with its connection", () => {
    const host = new DetectorRun(invertedExchanges())
    host.step(startUs, { processes: [sshd], connections: [accepted, onward(used)] })
    const ended = host.step(startUs + secondUs, { connections: [onward(used, { reason: "closed" })] })
    expect(ended.filter(({ class: name }) => name === "reverse_tunnel")).toMatchObject([{ status: "ended" }])
  })
})
