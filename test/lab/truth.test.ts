import { expect, it } from "vitest"
import { truthOf } from "./truth.js"
import type { Flow, Played } from "./truth.js"

const flow = (opener: Flow["opener"], responder: Flow["responder"], first: number): Flow => ({
  protocol: "tcp",
  opener,
  responder,
  first_us: first,
  last_us: first + 10,
  sent: 1,
  received: 2,
})
const tunnel = flow(["10.77.0.2", 4000], ["203.0.113.9", 443], 100)
const beside = flow(["10.77.0.2", 4001], ["203.0.113.9", 444], 110)
const reached = flow(["127.0.0.1", 4002], ["127.0.0.1", 8000], 210)
const visitor = flow(["203.0.113.9", 5000], ["10.77.0.2", 22], 120)

const played = (changes: Partial<Played> = {}): Played => ({
  kind: "malicious",
  flows: [reached, tunnel, beside, visitor],
  owners: [{ protocol: "tcp", local: tunnel.opener, remote: tunnel.responder, pid: 7, exe: "/relay", at_us: 101 }],
  firstUs: 200,
  tunnelPorts: [443],
  ...changes,
})

it("tells the tunnel from what is beside it, whom it reaches, through what, and from when", () => {
  const truth = truthOf(played())
  expect(truth.map(({ role }) => role)).toEqual(["tunnel", "outside", "accepted", "reached"])
  expect(truth[0]).toMatchObject({ from_us: 200, processes: [{ pid: 7, exe: "/relay" }], coupled_to: [] })
  expect(truth[2]).toMatchObject({ local: visitor.responder, remote: visitor.opener })
  expect(truth[3]).toMatchObject({ coupled_to: [0], from_us: 210, processes: [] })
})

it("counts what is kept open inside from the first use on, and what was over before it not at all", () => {
  const kept = { ...reached, first_us: 90, last_us: 300 }
  const over = { ...reached, first_us: 90, last_us: 110 }
  const inside = (one: Flow) => truthOf(played({ flows: [one] })).map(({ role, from_us }) => [role, from_us])
  expect(inside(kept)).toEqual([["reached", 200]])
  expect(inside(over)).toEqual([["inside", 90]])
})

it("has every connection to the outside as a tunnel where no port is named", () => {
  expect(truthOf(played({ tunnelPorts: [] })).filter(({ role }) => role === "tunnel")).toHaveLength(2)
})

it("has a tunnel to a shared address, which is not private", () => {
  const shared = flow(["10.77.0.2", 4003], ["100.64.7.9", 443], 100)
  expect(truthOf(played({ flows: [shared] })).map(({ role }) => role)).toEqual(["tunnel"])
})

it("has no tunnel in an ordinary program, whatever it reaches", () => {
  const roles = truthOf(played({ kind: "benign" })).map(({ role }) => role)
  expect(roles).toEqual(["outside", "outside", "accepted", "inside"])
})
