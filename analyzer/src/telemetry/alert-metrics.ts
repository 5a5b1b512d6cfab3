import type { MetricDeclaration, MetricSource, Reading } from "./metric-declaration.js"
import type { AlertStatus } from "./status.js"

const outbox = "outbox"

function ofAlerts(part: Exclude<keyof AlertStatus, "name" | "condition" | "shed">) {
  return (source: MetricSource): readonly Reading[] =>
    source.alerts().map((alert) => [{ sink: alert.name }, alert[part]])
}

/** Of each destination of alerts. */
export const alertMetrics: readonly MetricDeclaration[] = [
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
    name: "backflow_alerts_limited_total",
    type: "counter",
    help: "Findings that were not alerted by themselves, but in the sum of their identity's minute: alerts.per_identity_per_minute.",
    labels: ["sink"],
    unit: "findings",
    source: outbox,
    read: ofAlerts("limited"),
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
]
