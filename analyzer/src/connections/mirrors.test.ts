import { expect, it } from "vitest"
import type { ConnectionUpdate } from "../domain/connection.js"
import { netnsOfDevice } from "../domain/tunnel-use.js"
import { aBatch } from "../testing/batches.js"
import { anUpdate } from "../testing/connections.js"
import { keyOf } from "../testing/processes.js"
import { at } from "../testing/time.js"
import { aTracker, apply } from "../testing/trackers.js"
import { aTun, tapId } from "../testing/tunnel-uses.js"

const outer = anUpdate()
const inner = anUpdate({ cookie: "00000000000000e1", process: keyOf(55), netns: netnsOfDevice(tapId) })

function mirrorWith(changes: Partial<ConnectionUpdate>, cookie = tapId) {
  const tracker = aTracker()
  apply(tracker, aBatch(1, { connections: [{ ...inner, ...changes }, outer], attachments: [aTun({ cookie })] }))
  const connection = tracker.connection(outer.cookie)
  return connection && tracker.mirrorOf(connection)?.cookie
}

it("finds the connection that a user-mode network opened again", () => {
  expect(mirrorWith({})).toBe(inner.cookie)
})

it("finds it when it closed a while ago", () => {
  expect(mirrorWith({ reason: "closed" })).toBe(inner.cookie)
})

it("finds it when it turned out late that the proxy which both dialled leads outside", () => {
  const proxy = { address: "10.0.2.3", port: 3_128 }
  const behind = { ...inner, remote: proxy }
  const dialled = { ...outer, remote: proxy }
  const tracker = aTracker()
  apply(tracker, aBatch(1, { connections: [behind, dialled], attachments: [aTun({ cookie: tapId })] }))
  apply(tracker, aBatch(2, { connections: [{ ...behind, reason: "identified", route: "proxy" }] }))
  const connection = tracker.connection(outer.cookie)
  expect(connection && tracker.mirrorOf(connection)?.cookie).toBe(inner.cookie)
})

it.each([
  ["to another port", { remote: { ...inner.remote, port: 80 } }],
  ["of another protocol", { protocol: "udp" }],
  ["from another namespace", { netns: 4_026_530_000 }],
  ["opened at another time", { openedUs: at(10) }],
  ["that was accepted", { initiator: "remote" }],
] as const)("takes none %s", (_, changes) => {
  expect(mirrorWith(changes)).toBeUndefined()
})

it("takes none for a VPN, whose device is of its own namespace", () => {
  expect(mirrorWith({ netns: outer.netns }, tapId.replace(/^.{8}/, outer.netns.toString(16)))).toBeUndefined()
})

it("knows none once they are forgotten", () => {
  const tracker = aTracker({ closedUs: 1 })
  apply(
    tracker,
    aBatch(1, { connections: [{ ...inner, reason: "closed" }, outer], attachments: [aTun({ cookie: tapId })] }),
  )
  apply(tracker, aBatch(2, { observedUs: at(60) }))
  const connection = tracker.connection(outer.cookie)
  expect(connection && tracker.mirrorOf(connection)).toBeUndefined()
})
