import type { MetricDeclaration } from "./metric-declaration.js"

const source = "pipeline"

/** Whether each host is proven to be watched. */
export const proofMetrics: readonly MetricDeclaration[] = [
  {
    name: "backflow_host_last_proven_timestamp_seconds",
    type: "gauge",
    help: "When a relay that the analyzer asked for was last found on a host, by its clock; 0 before the first in its boot.",
    labels: ["host"],
    unit: "seconds since the Unix epoch",
    source,
    read: ({ analyzer }) =>
      analyzer().hosts.map(({ view, proofs }) => [{ host: view.host.hostName }, (proofs.lastProvenUs ?? 0) / 1e6]),
  },
  {
    name: "backflow_host_blind",
    type: "gauge",
    help: "1 while the last relay that the analyzer asked for was not found on a host in time, or could not be opened.",
    labels: ["host"],
    unit: "1",
    source,
    read: ({ analyzer }) =>
      analyzer().hosts.map(({ view, proofs }) => [{ host: view.host.hostName }, proofs.blind ? 1 : 0]),
  },
]
