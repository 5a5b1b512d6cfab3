import { anOutput } from "@backflow/analyzer/testing/outputs"
import type { MetricSample } from "@backflow/analyzer/store/write/metric-row"
import { hosts, minute } from "./story-cast.js"

/** Losses: 7 in the kernel and 20 shed on train-3 (3 h ago), 1 rejected there (5 h ago), 5 on a collector of gpu-12 that began 2 h ago. */
export function reportsOf(endUs: number): ReturnType<typeof anOutput>[] {
  const none = anOutput(0).lost
  const outputs: ReturnType<typeof anOutput>[] = []
  for (let ago = 25 * 60 - 1; ago >= 0; ago -= 1) {
    const wave = Math.round(12 * Math.sin(ago / 90))
    const report = (live: number) => ({
      atUs: endUs - ago * minute,
      liveConnections: live + wave,
      processes: 2 * live,
      evicted: 0,
    })
    const restarted = { ...hosts.gpu, instance: "00000000000000c4" }
    outputs.push(
      // Lost long before: it must not count in the last 24 h.
      anOutput(ago, { host: hosts.build, report: report(40), lost: { ...none, ringExec: 1_000 } }),
      anOutput(ago, {
        host: hosts.train,
        report: report(60),
        lost: {
          ...none,
          ringConnection: ago < 180 ? 7 : 0,
          shedInterim: ago < 180 ? 20 : 0,
          rejected: ago < 300 ? 1 : 0,
        },
      }),
      anOutput(ago, {
        host: ago < 120 ? restarted : hosts.gpu,
        report: report(30),
        lost: ago < 120 ? { ...none, mapSocket: 5 } : none,
      }),
    )
    if (ago >= 120) outputs.push(anOutput(ago, { host: hosts.edge, report: report(20) }))
  }
  return outputs
}

/** Counters that rise by a known step each minute; the outbox of Kafka filled for an hour, six hours ago. */
export function metricsOf(endUs: number): MetricSample[] {
  const samples: MetricSample[] = []
  for (let i = 0; i < 25 * 60; i += 1) {
    const ago = 25 * 60 - 1 - i
    const waiting = ago < 360 && ago >= 300 ? 360 - ago : 0
    const add = (name: string, value: number, labels: Record<string, string> = {}) =>
      samples.push({
        atMs: endUs / 1_000 - ago * 60_000,
        source: "analyzer-1",
        name: `backflow_${name}`,
        labels,
        value,
      })
    add("build_info", 1, { version: "0.1.0" })
    add("collector_streams", ago < 120 ? 3 : 4)
    add("intake_messages", (ago * 7) % 11)
    add("intake_bytes", 3_000 * ((ago * 7) % 11))
    add("rejected_total", ago < 300 ? 2 : 0, { reason: "malformed" })
    for (const sink of ["store", "console"]) {
      add("batches_written_total", (i + 1) * (sink === "store" ? 60 : 30), { sink })
      add("write_failures_total", sink === "store" && ago < 200 ? 3 : 0, { sink })
      add("outputs_shed_total", 0, { sink })
      add("outputs_waiting", sink === "store" ? ago % 4 : 0, { sink })
    }
    add("outbox_depth", 10 * waiting, { sink: "kafka" })
    add("outbox_bytes", 4_096 * 10 * waiting, { sink: "kafka" })
    add("outbox_oldest_seconds", 60 * waiting, { sink: "kafka" })
    add("alerts_published_total", i - waiting, { sink: "kafka" })
    add("alert_errors_total", ago < 360 ? 5 : 0, { sink: "kafka" })
    add("findings_total", Math.floor(i / 300), { class: "reverse_tunnel", severity: "high" })
    add("event_to_stored_seconds_sum", 0.25 * 100 * (i + 1))
    add("event_to_stored_seconds_count", 100 * (i + 1))
  }
  return samples
}
