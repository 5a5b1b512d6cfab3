import type { FindingJson } from "../../documents/finding-json.js"
import { alertId } from "../outbox/alert.js"
import type { Alert } from "../outbox/alert.js"
import { techniqueOf } from "./attack.js"
import { endsOf, ipVersionOf, isKnown, programOf, transportOf } from "./subject.js"

/** The version of the Elastic Common Schema whose field names these are. */
const ecsVersion = "8.17.0"

const severityNumbers = { info: 1, low: 21, medium: 47, high: 73, critical: 99 } as const
/** What ECS expects of the category network. */
const types = { created: "start", updated: "info", closed: "end" } as const
const directions = { local: "egress", remote: "ingress", unknown: "unknown" } as const

/** An alert document of the Elastic Common Schema; what it has no field for stands under `backflow`. */
export function ecs(alert: Alert, version: string): Readonly<Record<string, unknown>> {
  const { finding, kind } = alert
  return {
    "@timestamp": finding.detected_at,
    ecs: { version: ecsVersion },
    message: finding.summary,
    event: {
      id: alertId(alert),
      kind: "alert",
      category: ["network", "intrusion_detection"],
      type: [types[kind]],
      action: `finding-${kind}`,
      ...(alert.because !== undefined && { reason: alert.because }),
      module: "backflow",
      dataset: "backflow.findings",
      provider: finding.detector,
      severity: severityNumbers[finding.severity],
      risk_score: Math.round(finding.score * 100),
      created: alert.createdAt,
      start: finding.first_seen,
      end: finding.last_seen,
    },
    rule: { id: finding.detector, name: finding.class, category: finding.class },
    threat: threatOf(finding.attack),
    host: { id: finding.host.id, name: finding.host.name, boot: { id: finding.host.boot_id } },
    ...(isKnown(finding.process) && {
      process: processOf(finding.process),
      user: { id: String(finding.process.uid) },
    }),
    ...(finding.process.container_id !== "" && { container: { id: finding.process.container_id } }),
    ...(finding.connection && networkOf(finding.connection)),
    observer: { vendor: "Backflow", product: "Backflow", type: "sensor", version },
    backflow: {
      finding: {
        id: finding.id,
        version: finding.version,
        class: finding.class,
        severity: finding.severity,
        status: finding.status,
        score: finding.score,
        confidence: finding.confidence,
        // One text each: facts of every kind as fields of their own would grow an index without end.
        evidence: finding.evidence.map(({ text }) => text),
      },
      // Classes as lists, for the same reason.
      ...(alert.limited && {
        limited: {
          count: alert.limited.count,
          identity: alert.limited.identity,
          minute: alert.limited.minute,
          classes: Object.keys(alert.limited.classes),
        },
      }),
    },
  }
}

function threatOf(attack: readonly string[]): object {
  const known = attack.flatMap((id) => techniqueOf(id) ?? [])
  const tactics = new Map(known.map(({ tactic }) => [tactic.uid, tactic.name]))
  const subs = known.flatMap(({ sub }) => sub ?? [])
  return {
    framework: "MITRE ATT&CK",
    tactic: { id: [...tactics.keys()], name: [...tactics.values()] },
    technique: {
      id: known.map(({ uid }) => uid),
      name: known.map(({ name }) => name),
      ...(subs.length > 0 && {
        subtechnique: { id: subs.map(({ uid }) => uid), name: subs.map(({ name }) => name) },
      }),
    },
  }
}

function processOf(process: FindingJson["process"]): object {
  const [parent] = process.ancestors
  return {
    pid: process.pid,
    ...program(process),
    ...(parent && { parent: { pid: parent.pid, ...program(parent) } }),
  }
}

function program(process: Pick<FindingJson["process"], "exe" | "argv">): object {
  const { name, path, args, commandLine } = programOf(process)
  return { executable: path, name, args, command_line: commandLine }
}

function networkOf(connection: NonNullable<FindingJson["connection"]>): object {
  const { initiator, local, remote, bytes_sent, bytes_received } = connection
  const ends = {
    local: { ip: local.address, port: local.port, bytes: bytes_sent },
    remote: { ip: remote.address, port: remote.port, bytes: bytes_received },
  }
  const [source, destination] = endsOf(connection)
  const transport = transportOf(connection)
  return {
    source: ends[source],
    destination: ends[destination],
    network: {
      direction: directions[initiator],
      ...(transport && { transport: transport.name }),
      type: `ipv${ipVersionOf(connection)}`,
      bytes: bytes_sent + bytes_received,
    },
  }
}
