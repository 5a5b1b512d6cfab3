import { describe, expect, it } from "vitest"
import { aHost } from "../../testing/hosts.js"
import { CollectorStream } from "./collector-stream.js"
import type { CollectorCall } from "./collector-stream.js"
import { Peers, conflictOf, streamToDrop } from "./peers.js"
import { CollectorSession } from "./session.js"
import { Networks } from "../../domain/networks.js"

/** A stream from this address, as the transport gives it; nothing is sent. */
function aStream(peer: string, changes?: Parameters<typeof aHost>[0]): CollectorStream {
  const call = { on: () => call, write: () => true, getPeer: () => `${peer}:4711`, getAuthContext: () => ({}) }
  const stream = new CollectorStream(call as unknown as CollectorCall, 1)
  if (changes !== undefined) stream.open(new CollectorSession(aHost(changes)), new Networks())
  return stream
}

describe("hosts", () => {
  it("are as many for one peer as it leaves for others, and again as many once some are over", () => {
    const peers = new Peers(8)
    const host = (n: number) => aHost({ hostId: `h${n}` })
    const taken = (peer: string, from: number) =>
      Array.from({ length: 8 }, (_, n) => peers.introduce(peer, host(from + n))).filter(Boolean).length
    expect([taken("a", 0), taken("b", 10), taken("a", 20)]).toEqual([4, 2, 0])
    expect(peers.introduce("b", host(0))).toBe(true)
    for (const n of [0, 1, 2, 3]) peers.forget(host(n))
    expect(taken("a", 30)).toBe(3)
  })
})

describe("streams, when all are taken", () => {
  it("are given up by the peer that has most: the newest, and before it one that said nothing", () => {
    const [a1, a2, a3, b1] = [aStream("10.0.0.1", {}), aStream("10.0.0.1", {}), aStream("10.0.0.1", {}), aStream("10.0.0.2", {})] // prettier-ignore
    expect(streamToDrop([a1, a2, a3, b1], "10.0.0.3")).toBe(a3)
    const silent = aStream("10.0.0.1")
    expect(streamToDrop([a1, silent, a3, b1], "10.0.0.3")).toBe(silent)
  })

  it.each([
    ["the same peer", ["10.0.0.1", "10.0.0.1"], "10.0.0.1"],
    ["a peer that would then have as many", ["10.0.0.1", "10.0.0.1", "10.0.0.2"], "10.0.0.2"],
  ])("are not given up for %s", (_, peers, peer) => {
    expect(
      streamToDrop(
        peers.map((one) => aStream(one, {})),
        peer,
      ),
    ).toBeUndefined()
  })
})

describe("a second collector of one boot", () => {
  const first = aStream("10.0.0.1", { instance: "1" })
  it.each([
    ["from another peer", "10.0.0.2", { instance: "2" }, first],
    ["from the same peer: a restart", "10.0.0.1", { instance: "2" }, undefined],
    ["that is the same run: its address changed", "10.0.0.2", { instance: "1" }, undefined],
    ["after a reboot", "10.0.0.2", { instance: "2", bootId: "another" }, undefined],
  ])("%s", (_, peer, changes, conflict) => {
    expect(conflictOf([first], aStream(peer), aHost(changes))).toBe(conflict)
  })
})
