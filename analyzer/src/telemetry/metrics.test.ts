import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { metricDeclarations, storedSeconds } from "./metric-declarations.js"
import type { MetricValues } from "./metric-declaration.js"
import { Metrics, StoredLatency } from "./metrics.js"
import { metricsPage } from "./metrics-page.js"
import { brokenLines } from "../testing/exposition.js"
import { nothingLost } from "../domain/lost.js"
import { startUs } from "../testing/time.js"
import { aStatus, aSession, anAlertStatus } from "../testing/status.js"

function source(changes: Partial<MetricValues> = {}): MetricValues {
  return {
    version: "0.1.0",
    analyzer: () =>
      aStatus({
        streams: 2,
        rejected: [["time", 3]],
        deliveries: [{ sink: "store", counts: { written: 7, failures: 1, shed: 0, waiting: 4 } }],
        sessions: [
          aSession({ lost: { ...nothingLost, ringExec: 5 } }, { host: "build-7" }),
          aSession({ lost: { ...nothingLost, ringExec: 6 } }, { host: "build-7" }),
          aSession({ lost: nothingLost }, { host: 'odd"\\\nname' }),
        ],
      }),
    alerts: () => [anAlertStatus({ depth: 2, bytes: 800, limitBytes: 1_000 })],
    findings: () => [{ class: "reverse_tunnel", severity: "high", count: 2 }],
    eventLoopStall: () => 0.25,
    page: () => ({ sessions: 1, refused: new Map([["no_token", 4]]) }),
    ...changes,
  }
}

const nowUs = () => startUs
const metricsOf = (values: MetricValues, storedLatency = new StoredLatency(nowUs)) =>
  new Metrics({ instance: "a", values, storedLatency, nowUs })

/** Of one batch, which was durable 0.4 s after its event time. */
function latencyOfOne(): StoredLatency {
  const latency = new StoredLatency(nowUs)
  latency.observe(startUs - 400_000)
  return latency
}

describe("/metrics", () => {
  it("is in the form that Prometheus reads", async () => {
    const metrics = metricsOf(source(), latencyOfOne())
    const text = await metrics.text()
    expect(brokenLines(text)).toEqual([])
    expect(text.split("\n").length).toBeGreaterThan(100)
  })

  it("has every metric that is declared, with help", async () => {
    const text = await metricsOf(source()).text()
    for (const { name, type } of [...metricDeclarations, storedSeconds])
      expect(text).toContain(`# TYPE ${name} ${type}`)
    expect(new Set(metricDeclarations.map(({ name }) => name)).size).toBe(metricDeclarations.length)
  })

  it.each([
    'backflow_build_info{version="0.1.0"} 1',
    "backflow_collector_streams 2",
    "backflow_event_loop_stall_seconds 0.25",
    'backflow_rejected_total{reason="time"} 3',
    'backflow_batches_written_total{sink="store"} 7',
    'backflow_outbox_bytes{sink="kafka"} 800',
    'backflow_findings_total{class="reverse_tunnel",severity="high"} 2',
    'backflow_collector_lost_total{host="build-7",kind="ringExec"} 11',
    'backflow_page_refused_total{reason="no_token"} 4',
    'backflow_event_to_stored_seconds_bucket{le="0.5"} 1',
    'backflow_event_to_stored_seconds_bucket{le="0.25"} 0',
  ])("tells %s", async (line) => {
    const metrics = metricsOf(source(), latencyOfOne())
    expect((await metrics.text()).split("\n")).toContain(line)
  })

  it("takes totals over as they are, however often they are read", async () => {
    const metrics = metricsOf(source())
    await metrics.text()
    expect(await metrics.text()).toContain('backflow_rejected_total{reason="time"} 3\n')
  })
})

describe("samples for the store", () => {
  it("are the same values, without hosts that lost nothing", async () => {
    const samples = await metricsOf(source()).samples()
    const named = (name: string) => samples.filter((sample) => sample.name === name)
    expect(named("backflow_batches_written_total")).toEqual([
      {
        atMs: startUs / 1_000,
        source: "a",
        name: "backflow_batches_written_total",
        labels: { sink: "store" },
        value: 7,
      },
    ])
    expect(named("backflow_collector_lost_total").map(({ labels, value }) => ({ ...labels, value }))).toEqual([
      { host: "build-7", kind: "ringExec", value: 11 },
    ])
    expect(named("backflow_event_to_stored_seconds_count")).toHaveLength(1)
  })
})

describe("METRICS.md", () => {
  it("is what the declarations give (npm run generate:metrics -w analyzer)", () => {
    expect(readFileSync(new URL("../../METRICS.md", import.meta.url), "utf8")).toBe(metricsPage())
  })
})
