import { describe, expect, it } from "vitest"
import type { Batch } from "../../domain/batch.js"
import { anUpdate } from "../../testing/connections.js"
import { aChild, aProcess, keyOf } from "../../testing/processes.js"
import { at } from "../../testing/time.js"
import { DetectorRun } from "../../testing/trackers.js"
import { aTun, aTunnelUse, tapId } from "../../testing/tunnel-uses.js"
import { tunDevice } from "./tun-device.js"
import { tunDeviceThresholds } from "./thresholds.js"

const { verdicts } = tunDeviceThresholds
const vpn = aProcess(["openvpn", "--dev", "tun0"])
const service = aChild(80, undefined, { exe: "/usr/bin/python3" })

function claimsOf(...steps: readonly Partial<Batch>[]) {
  const run = new DetectorRun(tunDevice())
  return steps.flatMap((parts, i) => run.step(at(i), { processes: [vpn, service], ...parts }))
}

const everything: Partial<Batch> = { connections: [anUpdate()], attachments: [aTun()], tunnelUses: [aTunnelUse()] }

describe("a way in through a tun device", () => {
  it("is claimed of who holds the device, with the connection that carries it", () => {
    const [claim, ...more] = claimsOf(everything)
    expect(more).toEqual([])
    expect(claim).toMatchObject({
      class: "reverse_tunnel",
      process: vpn.key,
      cookie: anUpdate().cookie,
      score: verdicts.carried.score,
      summary:
        "Through tun0, which openvpn (pid 4711, uid 1000) on build-7 carries to 203.0.113.9:443, 10.98.0.1 reached 10.98.0.2:8001 of this host.",
    })
  })

  it.each(["connections", "attachments", "tunnelUses"] as const)("is claimed too when its %s come last", (last) => {
    const claims = claimsOf({ ...everything, [last]: [] }, { [last]: everything[last] })
    expect(claims).toHaveLength(1)
  })

  it("is graver once the connection to the outside has carried the bytes of it", () => {
    const quiet = anUpdate({ bytesSent: 0, bytesReceived: 0 })
    const scores = claimsOf({ ...everything, connections: [quiet] }, { connections: [anUpdate()] }).map((c) => c.score)
    expect(scores).toEqual([verdicts.answered.score, verdicts.carried.score])
  })

  it("is claimed by bytes alone where the packets were not written by the holder itself", () => {
    const [claim] = claimsOf({ ...everything, tunnelUses: [aTunnelUse({ acceptedAfter: 0 })] })
    expect(claim?.score).toBe(verdicts.answered.score)
  })

  it("is seen where another process next to the holder has the connection", () => {
    const child = aChild(90, 4_711, { parent: vpn.key })
    const claims = claimsOf({
      ...everything,
      processes: [vpn, service, child],
      connections: [anUpdate({ process: child.key })],
    })
    expect(claims.map(({ process }) => process)).toEqual([vpn.key])
  })

  it("ends with the device", () => {
    const [, ended] = claimsOf(everything, { attachments: [aTun({ gone: true, observedUs: at(1) })] })
    expect(ended?.status).toBe("ended")
  })

  it("ends with its holder", () => {
    const [, ended] = claimsOf(everything, { exited: [vpn.key] })
    expect(ended?.status).toBe("ended")
  })
})

describe("notes and silence", () => {
  it.each([
    ["who connects and says nothing", { bytesIn: 0, bytesOut: 0 }],
    ["who gets no answer", { bytesOut: 0 }],
  ])("has only a note of %s", (_, changes) => {
    const [claim] = claimsOf({ ...everything, tunnelUses: [aTunnelUse(changes)] })
    expect(claim?.score).toBe(verdicts.connected.score)
  })

  it("has only a note of a service that was told to call back", () => {
    const asks = anUpdate({
      cookie: "00000000000000d1",
      process: service.key,
      remote: { address: "10.98.0.1", port: 21 },
    })
    const [claim] = claimsOf({ ...everything, connections: [anUpdate(), asks] })
    expect(claim?.score).toBe(verdicts.calledBack.score)
  })

  it.each([
    ["a VPN whose far side never asks", { ...everything, tunnelUses: [] }],
    ["a guest that asks its host: the hypervisor has no connection", { ...everything, connections: [] }],
    ["a VPN to a concentrator inside", { ...everything, connections: [anUpdate({ remote: { address: "10.1.1.1", port: 443 } })] }], // prettier-ignore
    ["a VPN that dialled in", { ...everything, connections: [anUpdate({ initiator: "remote" })] }],
    ["a device that nobody with a connection holds", { ...everything, attachments: [aTun({ process: keyOf(99) })] }],
    ["what follows nothing, and is not carried", { ...everything, tunnelUses: [aTunnelUse({ acceptedAfter: 0, bytesIn: 9_000 })] }], // prettier-ignore
  ])("has nothing of %s", (_, parts) => {
    expect(claimsOf(parts)).toEqual([])
  })
})

describe("a user-mode network", () => {
  const inner = anUpdate({
    cookie: "00000000000000e1",
    process: keyOf(55),
    netns: Number.parseInt(tapId.slice(0, 8), 16),
  })
  const published = aTunnelUse({ deviceId: tapId, deviceName: "tap0" })
  const stack = { attachments: [aTun({ cookie: tapId })], tunnelUses: [published] }

  it("lets in who asks a published port: its connections are those of the container", () => {
    expect(claimsOf({ ...stack, connections: [inner, anUpdate()] })).toEqual([])
  })

  it("does not become a way in by what it asks for itself at the time", () => {
    const name = anUpdate({
      protocol: "udp",
      remote: { address: "203.0.113.53", port: 53 },
      bytesSent: 40,
      bytesReceived: 20,
    })
    expect(claimsOf({ ...stack, connections: [name] })).toEqual([])
  })

  it("is a way in when it carries the bytes over a connection that nobody there asked for", () => {
    expect(claimsOf({ ...stack, connections: [anUpdate()] })).toHaveLength(1)
  })
})

it("forgets the longest silent device when there are too many", () => {
  const uses = Array.from({ length: tunDeviceThresholds.devices + 1 }, (_, i) => aTunnelUse({ deviceId: `${i}` }))
  const forgotten = claimsOf({ connections: [anUpdate()], tunnelUses: uses }, { attachments: [aTun({ cookie: "0" })] })
  const kept = claimsOf({ connections: [anUpdate()], tunnelUses: uses }, { attachments: [aTun({ cookie: "1" })] })
  expect([forgotten.length, kept.length]).toEqual([0, 1])
})

it("judges so many devices of one holder, and so many holders of one device", () => {
  const { devicesOfHolder, holdersOfDevice } = tunDeviceThresholds
  const ids = Array.from({ length: devicesOfHolder + 3 }, (_, i) => `${i}`)
  const tunnelUses = ids.map((deviceId) => aTunnelUse({ deviceId }))
  const attachments = ids.map((cookie) => aTun({ cookie }))
  expect(claimsOf({ connections: [anUpdate()], tunnelUses, attachments })).toHaveLength(devicesOfHolder)
  const holders = Array.from({ length: holdersOfDevice + 3 }, (_, i) => keyOf(200 + i))
  const connections = holders.map((process) => anUpdate({ cookie: `of ${process}`, process }))
  const queues = holders.map((process) => aTun({ process }))
  expect(claimsOf({ connections, tunnelUses: [aTunnelUse()], attachments: queues })).toHaveLength(holdersOfDevice)
})
