import { expect, it } from "vitest"
import { netnsOfDevice } from "../domain/tunnel-use.js"
import { aBatch } from "../testing/batches.js"
import { anUpdate } from "../testing/connections.js"
import { aClaim } from "../testing/findings.js"
import { keyOf } from "../testing/processes.js"
import { aTracker, apply } from "../testing/trackers.js"
import { aTun, tapId } from "../testing/tunnel-uses.js"
import { MirroredClaims } from "./mirrored-claims.js"

const inner = anUpdate({ cookie: "00000000000000e1", process: keyOf(55), netns: netnsOfDevice(tapId) })
const stack = { attachments: [aTun({ cookie: tapId })] }
const ofOuter = aClaim({ cookie: anUpdate().cookie })
const ofInner = aClaim({ cookie: inner.cookie, subject: "group 2" })

it("passes on what is claimed about the program behind a user-mode network, and not the same of the network", () => {
  const tracker = aTracker()
  apply(tracker, aBatch(1, { connections: [inner, anUpdate()], ...stack }))
  expect(new MirroredClaims().advance([ofOuter, ofInner], tracker)).toEqual([ofInner])
})

it("passes on what is claimed about the network as long as nobody behind it is seen", () => {
  const tracker = aTracker()
  apply(tracker, aBatch(1, { connections: [anUpdate()], ...stack }))
  expect(new MirroredClaims().advance([ofOuter], tracker)).toEqual([ofOuter])
})

it("takes back once what it passed on too early", () => {
  const tracker = aTracker()
  const claims = new MirroredClaims()
  apply(tracker, aBatch(1, { connections: [inner, anUpdate()] }))
  expect(claims.advance([ofOuter], tracker)).toEqual([ofOuter])
  apply(tracker, aBatch(2, stack))
  expect(claims.advance([ofOuter, ofOuter], tracker)).toEqual([{ ...ofOuter, status: "ended" }])
})

it("takes back nothing that had ended", () => {
  const tracker = aTracker()
  const claims = new MirroredClaims()
  const ended = { ...ofOuter, status: "ended" as const }
  apply(tracker, aBatch(1, { connections: [inner, anUpdate()] }))
  expect(claims.advance([ofOuter, ended], tracker)).toEqual([ofOuter, ended])
  apply(tracker, aBatch(2, stack))
  expect(claims.advance([ofOuter], tracker)).toEqual([])
})
