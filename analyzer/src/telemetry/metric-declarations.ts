import type { FindingClass } from "../domain/finding-classes.js"
import type { Severity } from "../domain/severity.js"
import { lostByHost, ofShares } from "./host-readings.js"
import type { AnalyzerStatus, AlertStatus } from "./status.js"

/** Where the values of metrics come from, outside of the metrics themselves. */
export interface MetricValues {
  readonly version: string
  readonly analyzer: () => AnalyzerStatus
  readonly alerts: () => readonly AlertStatus[]
  /** Findings that began in this run. */
  readonly findings: () => readonly {
    readonly class: FindingClass
    readonly severity: Severity
    readonly count: number
  }[]
  /** The longest of the last minute, in seconds. */
  readonly eventLoopStall: () => number
  readonly page: () => { readonly sessions: number; readonly refused: ReadonlyMap<string, number> }
}

export interface MetricSource extends MetricValues {
  /** Times that the samples were not written to the store. */
  readonly skippedSamples: () => number
}

export type Labels = Readonly<Record<string, string>>
export type Reading = readonly [labels: Labels, value: number]

/** Everything about a metric, once. `read` gives what it is now. */
export interface MetricDeclaration {
  readonly name: `backflow_${string}`
  readonly type: "counter" | "gauge"
  readonly help: string
  readonly labels: readonly string[]
  readonly unit: string
  /** Which part of the analyzer counts it. */
  readonly source: string
  readonly read: (source: MetricSource) => readonly Reading[]
}

const none: Labels = {}

function ofDeliveries(part: "written" | "failures" | "shed" | "waiting") {
  return (source: MetricSource): readonly Reading[] =>
    source.analyzer().deliveries.map(({ sink, counts }) => [{ sink }, counts[part]])
}

function ofAlerts(part: Exclude<keyof AlertStatus, "name" | "condition" | "shed">) {
  return (source: MetricSource): readonly Reading[] =>
    source.alerts().map((alert) => [{ sink: alert.name }, alert[part]])
}

const pipeline = "pipeline"
const ingest = "gRPC server"
const delivery = "deliveries"
const outbox = "outbox"

export const metricDeclarations: readonly MetricDeclaration[] = [
  {
    name: "backflow_build_info",
    type: "gauge",
    help: "1, with the release of this analyzer.",
    labels: ["version"],
    unit: "1",
    source: "build",
    read: ({ version }) => [[{ version }, 1]],
  },
  {
    name: "backflow_collector_streams",
    type: "gauge",
    help: "Collectors connected now.",
    labels: [],
    unit: "streams",
    source: ingest,
    read: (source) => [[none, source.analyzer().streams]],
  },
  {
    name: "backflow_hosts",
    type: "gauge",
    help: "Hosts, one for each boot, that were seen within an hour.",
    labels: [],
    unit: "hosts",
    source: pipeline,
    read: (source) => [[none, source.analyzer().hosts.length]],
  },
  {
    name: "backflow_live_connections",
    type: "gauge",
    help: "Live connections of all hosts.",
    labels: [],
    unit: "connections",
    source: pipeline,
    read: (source) => [[none, source.analyzer().hosts.reduce((sum, { counts }) => sum + counts.liveConnections, 0)]],
  },
  {
    name: "backflow_intake_messages",
    type: "gauge",
    help: "Messages of collectors that wait to be analysed.",
    labels: [],
    unit: "messages",
    source: ingest,
    read: (source) => [[none, source.analyzer().intake.messages]],
  },
  {
    name: "backflow_intake_bytes",
    type: "gauge",
    help: "Bytes of messages that wait to be analysed.",
    labels: [],
    unit: "bytes",
    source: ingest,
    read: (source) => [[none, source.analyzer().intake.bytes]],
  },
  {
    name: "backflow_host_cost_seconds_total",
    type: "counter",
    help: "Time of the analyzer that what a host sent has cost.",
    labels: ["host"],
    unit: "seconds",
    source: ingest,
    read: ofShares("costMs"),
  },
  {
    name: "backflow_host_delayed_seconds_total",
    type: "counter",
    help: "Time that a host waited because others had cost less: it is over its share.",
    labels: ["host"],
    unit: "seconds",
    source: ingest,
    read: ofShares("delayedMs"),
  },
  {
    name: "backflow_rejected_total",
    type: "counter",
    help: "Records, messages and streams of collectors that were rejected.",
    labels: ["reason"],
    unit: "records, messages or streams",
    source: ingest,
    read: (source) => source.analyzer().rejected.map(([reason, count]) => [{ reason }, count]),
  },
  {
    name: "backflow_batches_written_total",
    type: "counter",
    help: "Outputs of batches that a sink has taken.",
    labels: ["sink"],
    unit: "outputs",
    source: delivery,
    read: ofDeliveries("written"),
  },
  {
    name: "backflow_write_failures_total",
    type: "counter",
    help: "Writes to a sink that failed; each is retried.",
    labels: ["sink"],
    unit: "writes",
    source: delivery,
    read: ofDeliveries("failures"),
  },
  {
    name: "backflow_outputs_shed_total",
    type: "counter",
    help: "Outputs dropped because a sink had no room; never for the store.",
    labels: ["sink"],
    unit: "outputs",
    source: delivery,
    read: ofDeliveries("shed"),
  },
  {
    name: "backflow_outputs_waiting",
    type: "gauge",
    help: "Outputs that wait for a sink.",
    labels: ["sink"],
    unit: "outputs",
    source: delivery,
    read: ofDeliveries("waiting"),
  },
  {
    name: "backflow_outbox_depth",
    type: "gauge",
    help: "Alerts on disk that the receiver has not acknowledged.",
    labels: ["sink"],
    unit: "alerts",
    source: outbox,
    read: ofAlerts("depth"),
  },
  {
    name: "backflow_outbox_bytes",
    type: "gauge",
    help: "Bytes on disk of alerts that wait.",
    labels: ["sink"],
    unit: "bytes",
    source: outbox,
    read: ofAlerts("bytes"),
  },
  {
    name: "backflow_outbox_limit_bytes",
    type: "gauge",
    help: "Bytes on disk that alerts may take: alerts.outbox_bytes.",
    labels: ["sink"],
    unit: "bytes",
    source: outbox,
    read: ofAlerts("limitBytes"),
  },
  {
    name: "backflow_outbox_oldest_seconds",
    type: "gauge",
    help: "Age of the alert that waits longest; 0 when none waits.",
    labels: ["sink"],
    unit: "seconds",
    source: outbox,
    read: ofAlerts("oldestSeconds"),
  },
  {
    name: "backflow_alerts_published_total",
    type: "counter",
    help: "Alerts that the receiver acknowledged.",
    labels: ["sink"],
    unit: "alerts",
    source: outbox,
    read: ofAlerts("published"),
  },
  {
    name: "backflow_alert_errors_total",
    type: "counter",
    help: "Attempts to publish that failed; each is retried.",
    labels: ["sink"],
    unit: "attempts",
    source: outbox,
    read: ofAlerts("errors"),
  },
  {
    name: "backflow_alerts_shed_total",
    type: "counter",
    help: "Alerts dropped because the outbox was full, the least grave first.",
    labels: ["sink", "severity"],
    unit: "alerts",
    source: outbox,
    read: (source) =>
      source
        .alerts()
        .flatMap(({ name, shed }) =>
          Object.entries(shed).map(([severity, count]): Reading => [{ sink: name, severity }, count]),
        ),
  },
  {
    name: "backflow_alerts_superseded_total",
    type: "counter",
    help: "Versions that did not leave because a graver, newer one of their finding left before; none of them is lost.",
    labels: ["sink"],
    unit: "alerts",
    source: outbox,
    read: ofAlerts("superseded"),
  },
  {
    name: "backflow_alerts_refused_total",
    type: "counter",
    help: "Alerts that the receiver refused for good, kept in refused.jsonl.",
    labels: ["sink"],
    unit: "alerts",
    source: outbox,
    read: ofAlerts("refused"),
  },
  {
    name: "backflow_alerts_torn_total",
    type: "counter",
    help: "Alerts lost on disk, by a crash in the middle of a write or by damage.",
    labels: ["sink"],
    unit: "alerts",
    source: outbox,
    read: ofAlerts("torn"),
  },
  {
    name: "backflow_findings_total",
    type: "counter",
    help: "Findings that began in this run, by their first severity.",
    labels: ["class", "severity"],
    unit: "findings",
    source: pipeline,
    read: (source) => source.findings().map(({ class: name, severity, count }) => [{ class: name, severity }, count]),
  },
  {
    name: "backflow_collector_lost_total",
    type: "counter",
    help: "Records that the collector of a host lost, by kind.",
    labels: ["host", "kind"],
    unit: "records",
    source: "collectors",
    read: lostByHost,
  },
  {
    name: "backflow_event_loop_stall_seconds",
    type: "gauge",
    help: "Longest time of the last minute for which the analyzer could answer nobody.",
    labels: [],
    unit: "seconds",
    source: "process",
    read: (source) => [[none, source.eventLoopStall()]],
  },
  {
    name: "backflow_page_sessions",
    type: "gauge",
    help: "Browsers that are signed in.",
    labels: [],
    unit: "sessions",
    source: "page",
    read: (source) => [[none, source.page().sessions]],
  },
  {
    name: "backflow_page_refused_total",
    type: "counter",
    help: "Requests that the page refused, and slow event streams it dropped.",
    labels: ["reason"],
    unit: "requests",
    source: "page",
    read: (source) => [...source.page().refused].map(([reason, count]) => [{ reason }, count]),
  },
  {
    name: "backflow_metric_samples_skipped_total",
    type: "counter",
    help: "Writes of the metrics to the store that failed or were skipped.",
    labels: [],
    unit: "times",
    source: "metrics",
    read: (source) => [[none, source.skippedSamples()]],
  },
]

/** The one distribution; its values come as they happen. */
export const storedSeconds = {
  name: "backflow_event_to_stored_seconds",
  type: "histogram",
  help: "From the event time of a batch, by its host's clock, until it is durable.",
  labels: [],
  unit: "seconds",
  source: delivery,
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
} as const
