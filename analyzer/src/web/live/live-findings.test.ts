import { describe, expect, it } from "vitest"
import { findingJson, incidentJson } from "../../documents/finding-json.js"
import { LiveFindings, defaultLiveFindingsLimits } from "./live-findings.js"
import { Curves, curvesOf } from "./curves.js"
import { at, startUs } from "../../testing/time.js"
import { aHost } from "../../testing/hosts.js"
import { aFinding, anIncident, idOf } from "../../testing/findings.js"
import { outputWith } from "../../testing/outputs.js"
import { aCouplingPoint } from "../../testing/couplings.js"

const cookie = aFinding().connection.cookie
const { hostId, bootId } = aHost()

describe("live findings", () => {
  it("keeps the latest version, in whatever order they come", async () => {
    const live = new LiveFindings(defaultLiveFindingsLimits)
    await live.write([outputWith({ findings: [aFinding({ version: 2, severity: "critical" })] })])
    live.seed([], [findingJson(aFinding({ version: 1 }))])
    await live.write([
      outputWith({ findings: [aFinding({ version: 2, severity: "critical" }), aFinding({ version: 1 })] }),
    ])
    expect(live.finding(aFinding().id)?.version).toBe(2)
    expect(live.findingCounts.open).toMatchObject({ high: 0, critical: 1 })
  })

  it("tells each new version once", async () => {
    const live = new LiveFindings(defaultLiveFindingsLimits)
    const received: number[] = []
    const stop = live.subscribe({ finding: ({ version }) => received.push(version), incident: () => undefined })
    const outputs = [outputWith({ findings: [aFinding(), aFinding({ version: 2 })] })]
    await live.write(outputs)
    await live.write(outputs)
    stop()
    await live.write([outputWith({ findings: [aFinding({ version: 3 })] })])
    expect(received).toEqual([1, 2])
  })

  it("counts open findings by severity, expected ones apart, and none that is over", async () => {
    const live = new LiveFindings(defaultLiveFindingsLimits)
    const findings = [
      aFinding({ id: idOf(1) }),
      aFinding({ id: idOf(2), severity: "low", status: "updated" }),
      aFinding({ id: idOf(3), status: "expected" }),
      aFinding({ id: idOf(4), status: "suppressed" }),
      aFinding({ id: idOf(1), version: 2, status: "closed" }),
    ]
    await live.write([outputWith({ findings })])
    expect(live.findingCounts).toEqual({ open: { info: 0, low: 1, medium: 0, high: 0, critical: 0 }, expected: 1 })
    expect(live.begun).toContainEqual({ class: "reverse_tunnel", severity: "high", count: 3 })
  })

  it("gives up what is over first, then the oldest, with all that leads to it", async () => {
    const live = new LiveFindings({ incidents: 2, findings: 2 })
    const open = (n: number) => aFinding({ id: idOf(n), connection: { ...aFinding().connection, cookie: `c${n}` } })
    await live.write([outputWith({ findings: [open(1), { ...open(2), status: "closed" }, open(3)] })])
    expect([1, 2, 3].map((n) => live.finding(idOf(n)) !== undefined)).toEqual([true, false, true])
    await live.write([outputWith({ findings: [open(4)] })])
    expect([1, 3, 4].map((n) => live.finding(idOf(n)) !== undefined)).toEqual([false, true, true])
    expect(live.findingOf({ hostId, bootId, cookie: "c1" })).toBeUndefined()
    expect(live.findingOf({ hostId, bootId, cookie: "c4" })).toBe(idOf(4))
    expect(live.findingCounts.open.high).toBe(2)
    const incident = (n: number) => anIncident({ id: idOf(10 + n), findings: [idOf(n)] })
    await live.write([outputWith({ incidents: [incident(1), incident(2), incident(3)] })])
    expect([1, 2, 3].map((n) => live.incidentOf(idOf(n))?.id)).toEqual([undefined, idOf(12), idOf(13)])
    expect(live.openIncidents).toBe(2)
  })

  it("knows the incident of a finding that the store had", () => {
    const live = new LiveFindings(defaultLiveFindingsLimits)
    live.seed([incidentJson(anIncident({ findings: [idOf(1)] }))], [])
    expect(live.incidentOf(idOf(1))?.id).toBe(anIncident().id)
  })
})

const sample = (second: number, bytes: number, channel = "127.0.0.1:8000", of = cookie) =>
  aCouplingPoint({
    cookie: of,
    channel,
    atUs: at(second),
    forwardIn: bytes,
    forwardOut: bytes,
    backwardIn: 2 * bytes,
    backwardOut: 2 * bytes,
  })

describe("curves", () => {
  it("join memory and store by channel, and rise in time", () => {
    const curves = new Curves()
    curves.add(hostId, bootId, [sample(2, 30), sample(1, 20), sample(1, 5, "@x")])
    const stored = [{ channel: "127.0.0.1:8000", at_ms: startUs / 1_000, forward_in: 10, forward_out: 10, backward_in: 20, backward_out: 20 }, ...curves.of(hostId, bootId, cookie)] // prettier-ignore
    const joined = curvesOf([...stored, ...curves.of(hostId, bootId, cookie)])
    expect(joined.map(({ channel }) => channel)).toEqual(["127.0.0.1:8000", "@x"])
    expect(joined[0]).toMatchObject({ forwardIn: [10, 20, 30], backwardOut: [20, 40, 60] })
    expect(joined[0]?.at).toEqual([0, 1, 2].map((second) => startUs / 1_000 + 1_000 * second))
  })

  it("are of so many connections and points at most", () => {
    const curves = new Curves()
    curves.add(
      hostId,
      bootId,
      Array.from({ length: 700 }, (_, i) => sample(i, i)),
    )
    expect(curves.of(hostId, bootId, cookie)).toHaveLength(600)
    expect(curves.of(hostId, bootId, cookie)[0]?.forward_in).toBe(100)
    curves.add(
      hostId,
      bootId,
      Array.from({ length: 2_000 }, (_, i) => sample(0, i, "x", `c${i}`)),
    )
    expect(curves.of(hostId, bootId, cookie)).toEqual([])
    expect(curves.of(hostId, bootId, "c0")).toHaveLength(1)
  })
})
