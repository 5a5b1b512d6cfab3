import { describe, expect, it } from "vitest"
import type { IncidentSummary } from "../../contract.js"
import { advance, mergeIncidents, nothingYet } from "./state.js"

function anIncident(changes: Partial<IncidentSummary> = {}): IncidentSummary {
  return {
    id: "a",
    version: 1,
    status: "open",
    severity: "high",
    score: 0.9,
    host: { id: "h", name: "build-7" },
    identity: "ssh of uid 0",
    first_seen: "2026-11-23T06:00:00.000000000Z",
    last_seen: "2026-11-23T06:00:01.000000000Z",
    summary: "ssh lets somebody in",
    findings: 1,
    ...changes,
  }
}

const receive = (...incidents: readonly IncidentSummary[]) =>
  advance(
    { ...nothingYet, awaitsFirst: false },
    incidents.map((value) => ({ kind: "incident", value })),
  )

describe("what the stream sends", () => {
  it("announces an incident once, and not its later versions", () => {
    const first = receive(anIncident())
    expect(first.announcement).toBe("New incident, high: ssh lets somebody in")
    const later = advance({ ...first, announcement: "" }, [{ kind: "incident", value: anIncident({ version: 2 }) }])
    expect(later.announcement).toBe("")
    expect(later.incidents.get("a")?.version).toBe(2)
  })

  it("announces what began since, although its first version was never sent", () => {
    const since = { ...nothingYet, awaitsFirst: false, firstSeenAt: "2026-11-23T05:59:59.000Z" }
    const news = (incident: IncidentSummary) => advance(since, [{ kind: "incident", value: incident }]).announcement
    expect(news(anIncident({ version: 2 }))).toBe("New incident, high: ssh lets somebody in")
    expect(news(anIncident({ version: 2, first_seen: "2026-11-22T06:00:00.000000000Z" }))).toBe("")
  })

  it("does not announce the incident that a stream begins with", () => {
    expect(advance(nothingYet, [{ kind: "incident", value: anIncident() }]).announcement).toBe("")
  })

  it("does not go back to an older version", () => {
    expect(receive(anIncident({ version: 3 }), anIncident({ version: 2 })).incidents.get("a")?.version).toBe(3)
  })

  it("keeps the moment since when the stream is as it is", () => {
    const lost = advance(nothingYet, [{ kind: "stream", value: "lost", atMs: 5 }])
    const still = advance(lost, [{ kind: "stream", value: "lost", atMs: 9 }])
    expect([lost.stream, lost.sinceMs, still.sinceMs]).toEqual(["lost", 5, 5])
  })

  it("is bounded", () => {
    const many = receive(...Array.from({ length: 2_500 }, (_, i) => anIncident({ id: `i${i}` })))
    expect(many.incidents.size).toBe(2_000)
    expect(many.incidents.has("i0")).toBe(false)
    expect(many.incidents.has("i2499")).toBe(true)
  })
})

describe("a list with what changed since", () => {
  const list = [anIncident(), anIncident({ id: "b", severity: "medium" })]
  const ids = (incidents: readonly IncidentSummary[]) => incidents.map(({ id }) => id)

  it("puts the gravest first, then the latest", () => {
    const changed = receive(
      anIncident({ id: "c", severity: "critical" }),
      anIncident({ id: "d", last_seen: "2026-11-23T07:00:00.000000000Z" }),
    ).incidents
    expect(ids(mergeIncidents(list, changed, "open"))).toEqual(["c", "d", "a", "b"])
  })

  it("drops what was closed meanwhile from the open ones", () => {
    const changed = receive(anIncident({ version: 2, status: "closed" })).incidents
    expect(ids(mergeIncidents(list, changed, "open"))).toEqual(["b"])
    expect(ids(mergeIncidents(list, changed, "closed"))).toEqual(["a"])
    expect(ids(mergeIncidents(list, changed, "all"))).toEqual(["a", "b"])
  })
})
