import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Finding } from "../domain/finding.js"
import { IncidentTracker } from "./incident-tracker.js"
import { incidentThresholds } from "./thresholds.js"
import { at, startUs, secondUs } from "../testing/time.js"
import { aProcess } from "../testing/processes.js"
import { aFinding } from "../testing/findings.js"
import { aView } from "../testing/trackers.js"

const daysUs = 24 * 3_600 * secondUs

const keys = ["4711:123456789", "4712:5"]
const processes = keys.map((key) => aProcess(["ssh"], { key }))

function a(id: string, changes: Partial<Finding> = {}): Finding {
  const firstSeenUs = changes.firstSeenUs ?? startUs
  return aFinding({ id, severity: "medium", score: 0.6, firstSeenUs, detectedAtUs: firstSeenUs, ...changes })
}

const intent = a("1", { class: "tunnel_intent", severity: "low", score: 0.3 })
const tunnel = a("2", { severity: "high", score: 0.95, firstSeenUs: at(3600) })
const shell = a("3", { class: "reverse_shell", severity: "critical", score: 0.96, firstSeenUs: at(7200) })

describe("an incident", () => {
  it("begins with what wakes a person, and takes along what was noted before", () => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    expect(incidents.advance([intent], view, startUs)).toEqual([])
    const [incident] = incidents.advance([tunnel], view, at(3600))
    expect(incident).toMatchObject({
      version: 1,
      status: "open",
      severity: "high",
      score: 0.95,
      findings: ["1", "2"],
      firstSeenUs: startUs,
      identity: "group /system.slice/agent.service, uid 1000, /bin/bash",
    })
    expect(incident?.timeline.map(({ finding }) => finding)).toEqual(["1", "2"])
    expect(incident?.summary).toContain("(2 findings: asked for a way in, reverse tunnel)")
  })

  it("is one for a second process of the same identity, hours later", () => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    const [first] = incidents.advance([tunnel], view, at(3600))
    const other = { ...shell, process: { ...shell.process, pid: 4712, startNs: "5" } }
    const [second] = incidents.advance([other], view, at(7200))
    expect(second).toMatchObject({ id: first?.id, version: 2, severity: "critical", findings: ["2", "3"] })
  })

  it.each<[string, Partial<Finding["process"]>]>([
    ["user", { uid: 1 }],
    ["container", { containerId: "abcdef0123456789" }],
    ["root of its lineage", { ancestors: [{ pid: 1, exe: "/usr/bin/node", argv: [] }] }],
  ])("is another for another %s", (_, process) => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    const [first] = incidents.advance([tunnel], view, at(3600))
    const [second] = incidents.advance([{ ...shell, process: { ...shell.process, ...process } }], view, at(7200))
    expect(second?.id).not.toBe(first?.id)
    expect(second?.findings).toEqual(["3"])
  })

  it("does not take a supervisor for the root", () => {
    const view = aView([], processes)
    const under = (exe: string) => ({ ...tunnel.process, ancestors: [{ pid: 1, exe, argv: [] }] })
    const [incident] = new IncidentTracker().advance(
      [{ ...tunnel, process: under("/usr/lib/systemd/systemd") }],
      view,
      at(1),
    )
    expect(incident?.identity).toContain("/usr/bin/ssh")
  })

  it("closes when the last of its findings has, and opens again with the next", () => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    incidents.advance([tunnel, shell], view, at(7200))
    const closed = (finding: Finding) => ({ ...finding, status: "closed" as const, detectedAtUs: at(8000) })
    expect(incidents.advance([closed(tunnel)], view, at(8000))).toMatchObject([{ status: "open" }])
    expect(incidents.advance([closed(shell)], view, at(8000))).toMatchObject([{ status: "closed" }])
    expect(incidents.advance([a("4", { firstSeenUs: at(9000) })], view, at(9000))).toMatchObject([
      { status: "open", findings: ["2", "3", "4"] },
    ])
  })

  it("ends when policy answers what it was about", () => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    incidents.advance([tunnel], view, at(1))
    const expected = { ...tunnel, status: "expected" as const, severity: "info" as const }
    expect(incidents.advance([expected], view, at(2))).toMatchObject([
      { status: "closed", severity: "info", summary: "Everything in it is approved by policy." },
    ])
  })

  it("is told again for counters once a minute at most", () => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    incidents.advance([tunnel], view, at(0))
    const next = { ...tunnel, status: "updated" as const, lastSeenUs: at(4000) }
    expect(incidents.advance([next], view, at(59))).toEqual([])
    expect(incidents.advance([next], view, at(60))).toMatchObject([{ version: 2, lastSeenUs: at(4000) }])
  })

  it("is not told anew for each of very many findings, but tells of all, and at once of a graver one", () => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    const versions = Array.from({ length: 400 }, (_, i) => incidents.advance([a(`n${i}`)], view, at(i / 100))).flat()
    expect(versions.length).toBeLessThan(40)
    const [graver] = incidents.advance([tunnel], view, at(4.01))
    expect(graver).toMatchObject({ severity: "high", findings: { length: 401 } })
    incidents.advance([a("last")], view, at(4.02))
    expect(incidents.advance([], view, at(5))).toEqual([])
    expect(incidents.advance([], view, at(20))).toMatchObject([{ findings: { length: 402 } }])
    expect(incidents.advance([], view, at(40))).toEqual([])
  })

  it.each([
    [7 * daysUs, true],
    [7 * daysUs + 1, false],
  ])("takes in what comes %i us after the last: %s", (us, same) => {
    const incidents = new IncidentTracker()
    const view = aView([], processes)
    const [first] = incidents.advance([a("2")], view, startUs)
    const [second] = incidents.advance([a("3", { firstSeenUs: startUs + us })], view, startUs + us)
    expect(second?.id === first?.id).toBe(same)
  })
})

describe("no incident comes of", () => {
  it.each([
    ["what policy expects", { status: "expected" as const, severity: "info" as const }],
    ["what is suppressed", { status: "suppressed" as const, severity: "info" as const }],
    ["notes", { severity: "low" as const }],
    ["an end of what was never begun", { status: "closed" as const }],
  ])("%s", (_, changes) => {
    expect(new IncidentTracker().advance([a("1", changes)], aView([], processes), startUs)).toEqual([])
  })
})

it("has the same findings and severity in whatever order they come", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([intent, tunnel, shell], { minLength: 3 }), (order) => {
      const incidents = new IncidentTracker()
      const view = aView([], processes)
      const last = order.flatMap((finding) => incidents.advance([finding], view, at(7200))).at(-1)
      expect(last?.findings.toSorted()).toEqual(["1", "2", "3"])
      expect(last?.severity).toBe("critical")
      expect(last?.timeline.map(({ finding }) => finding)).toEqual(["1", "2", "3"])
    }),
  )
})

it("forgets, when there are too many identities, of the user who has most", () => {
  const incidents = new IncidentTracker()
  const view = aView([], processes)
  const of = (uid: number, root: string): Finding["process"] => ({
    ...tunnel.process,
    uid,
    ancestors: [{ pid: 4_000, exe: `/opt/${root}`, argv: [] }],
  })
  const [first] = incidents.advance([{ ...tunnel, process: of(1, "quiet") }], view, at(3_600))
  const { remembered } = incidentThresholds
  for (let n = 0; n < remembered + 10; n++)
    incidents.advance([{ ...a(`flood ${n}`), process: of(2, `program-${n}`) }], view, at(3_601))
  expect(incidents.evicted).toBe(11)
  const [second] = incidents.advance([{ ...shell, process: of(1, "quiet") }], view, at(7_200))
  expect(second).toMatchObject({ id: first?.id, version: 2, findings: ["2", "3"] })
})
