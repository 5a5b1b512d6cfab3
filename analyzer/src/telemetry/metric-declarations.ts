import { evictedKinds } from "../domain/evicted.js"
import { lostKinds } from "../domain/lost.js"
import { alertMetrics } from "./alert-metrics.js"
import type { Labels, MetricDeclaration, MetricSource, Reading } from "./metric-declaration.js"
import { proofMetrics } from "./proof-metrics.js"

const none: Labels = {}

function ofDeliveries(part: "written" | "failures" | "shed" | "waiting") {
  return (source: MetricSource): readonly Reading[] =>
    source.analyzer().deliveries.map(({ sink, counts }) => [{ sink }, counts[part]])
}

function lostByHost(source: MetricSource): readonly Reading[] {
  const hosts = new Map<string, Map<string, number>>()
  for (const { host, counts } of source.analyzer().sessions) {
    const kinds = hosts.get(host) ?? new Map<string, number>()
    hosts.set(host, kinds)
    for (const kind of lostKinds) kinds.set(kind, (kinds.get(kind) ?? 0) + (counts.lost?.[kind] ?? 0))
  }
  return [...hosts].flatMap(([host, kinds]) => [...kinds].map(([kind, value]): Reading => [{ host, kind }, value]))
}

function evictedByHost(source: MetricSource): readonly Reading[] {
  const hosts = new Map<string, Map<string, number>>()
  for (const { view, counts } of source.analyzer().hosts) {
    const kinds = hosts.get(view.host.hostName) ?? new Map<string, number>()
    hosts.set(view.host.hostName, kinds)
    for (const kind of evictedKinds) kinds.set(kind, (kinds.get(kind) ?? 0) + counts.evicted[kind])
  }
  return [...hosts].flatMap(([host, kinds]) => [...kinds].map(([kind, value]): Reading => [{ host, kind }, value]))
}

/** Boots of one host count together. */
function ofShares(part: "costMs" | "delayedMs") {
  return (source: MetricSource): readonly Reading[] => {
    const seconds = new Map<string, number>()
    for (const { view, share } of source.analyzer().hosts)
      seconds.set(view.host.hostName, (seconds.get(view.host.hostName) ?? 0) + share[part] / 1_000)
    return [...seconds].map(([host, value]): Reading => [{ host }, value])
  }
}

const pipeline = "pipeline"
const ingest = "gRPC server"
const delivery = "deliveries"

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
  ...proofMetrics,
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
  ...alertMetrics,
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
    name: "backflow_evicted_total",
    type: "counter",
    help: "What the analyzer gave up of a host for want of room, or left for later for want of time, by kind.",
    labels: ["host", "kind"],
    unit: "records, claims, findings or identities",
    source: pipeline,
    read: evictedByHost,
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
