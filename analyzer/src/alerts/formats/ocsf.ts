import type { FindingJson } from "../../documents/finding-json.js"
import { alertId } from "../outbox/alert.js"
import type { Alert } from "../outbox/alert.js"
import { attackVersion, techniqueOf } from "./attack.js"
import { endsOf, ipVersionOf, isKnown, programOf, transportOf } from "./subject.js"
import { millisecondsOf } from "../../text/rfc3339.js"

/** The version of the Open Cybersecurity Schema Framework whose names and numbers these are. */
export const ocsfVersion = "1.8.0"

const classUid = 2004
const activities = { created: [1, "Create"], updated: [2, "Update"], closed: [3, "Close"] } as const
const severityIds = { info: 1, low: 2, medium: 3, high: 4, critical: 5 } as const
const severityNames = {
  info: "Informational",
  low: "Low",
  medium: "Medium",
  high: "High",
  critical: "Critical",
} as const
/** New, In Progress, Suppressed, Resolved. */
const statusIds = { open: 1, updated: 2, suppressed: 3, expected: 3, closed: 4, proof: 3 } as const
const statusNames = { 1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved" } as const
const directions = { local: [2, "Outbound"], remote: [1, "Inbound"], unknown: [0, "Unknown"] } as const
const observableTypes = { hostname: [1, "Hostname"], ip: [2, "IP Address"], commandLine: [13, "Command Line"] } as const
/** Behavioral analytic. */
const behavioral = 2
/** Device type unknown; regular file. */
const unknownDevice = 0
const regularFile = 1

/** OCSF Detection Finding, class 2004. `time` is when the finding was created; what happened is in start and end time. */
export function ocsf(alert: Alert, version: string): Readonly<Record<string, unknown>> {
  const { finding } = alert
  const [activityId, activity] = activities[alert.kind]
  const statusId = alert.because === "lowered" ? 4 : statusIds[finding.status]
  return {
    category_uid: 2,
    category_name: "Findings",
    class_uid: classUid,
    class_name: "Detection Finding",
    activity_id: activityId,
    activity_name: activity,
    type_uid: classUid * 100 + activityId,
    type_name: `Detection Finding: ${activity}`,
    time: millisecondsOf(alert.createdAt),
    start_time: millisecondsOf(finding.first_seen),
    end_time: millisecondsOf(finding.last_seen),
    severity_id: severityIds[finding.severity],
    severity: severityNames[finding.severity],
    status_id: statusId,
    status: statusNames[statusId],
    ...(alert.because !== undefined && { status_detail: alert.because }),
    is_alert: alert.kind === "created",
    confidence_score: Math.round(finding.confidence * 100),
    message: finding.summary,
    metadata: {
      version: ocsfVersion,
      uid: alertId(alert),
      product: { name: "Backflow", vendor_name: "Backflow", version },
      log_name: "findings",
    },
    finding_info: findingInfo(alert),
    device: { uid: finding.host.id, hostname: finding.host.name, type_id: unknownDevice, type: "Unknown" },
    evidences: evidences(finding),
    observables: observables(finding),
    unmapped: {
      boot_id: finding.host.boot_id,
      score: finding.score,
      finding_version: finding.version,
      process_start_ns: finding.process.start_ns,
      ...(alert.limited && { limited: alert.limited }),
      ...(finding.connection && {
        netns: finding.connection.netns,
        bytes_sent: finding.connection.bytes_sent,
        bytes_received: finding.connection.bytes_received,
        still_open: finding.connection.still_open,
        opened_at: finding.connection.opened_at,
      }),
    },
  }
}

function findingInfo({ finding, createdAt }: Alert): object {
  return {
    uid: finding.id,
    title: finding.summary,
    desc: finding.evidence.map(({ text }) => text).join("\n"),
    types: [finding.class],
    created_time: millisecondsOf(createdAt),
    modified_time: millisecondsOf(finding.detected_at),
    first_seen_time: millisecondsOf(finding.first_seen),
    last_seen_time: millisecondsOf(finding.last_seen),
    analytic: { type_id: behavioral, type: "Behavioral", name: finding.detector, uid: finding.detector },
    attacks: finding.attack.map(attackOf),
  }
}

function attackOf(id: string): object {
  const technique = techniqueOf(id)
  if (technique === undefined) return { technique: { uid: id } }
  const { uid, name, tactic, sub } = technique
  return { version: attackVersion, tactic, technique: { uid, name }, ...(sub && { sub_technique: sub }) }
}

/** The connection with its process first, then every fact by which the claim can be checked. */
function evidences(finding: FindingJson): readonly object[] {
  const { connection, process } = finding
  const subject = {
    name: "subject",
    ...(isKnown(process) && { process: processOf(finding) }),
    ...(process.container_id !== "" && { container: { uid: process.container_id } }),
    ...(connection && connectionOf(connection)),
  }
  const checks = finding.evidence.map(({ kind, text, at, facts }) => ({
    name: kind,
    data: { text, at, facts },
  }))
  // OCSF wants each of them to show something.
  return !isKnown(process) && connection === null ? checks : [subject, ...checks]
}

function connectionOf(connection: NonNullable<FindingJson["connection"]>): object {
  const [source, destination] = endsOf(connection)
  const [directionId, direction] = directions[connection.initiator]
  const transport = transportOf(connection)
  return {
    uid: connection.cookie,
    src_endpoint: { ip: connection[source].address, port: connection[source].port },
    dst_endpoint: { ip: connection[destination].address, port: connection[destination].port },
    connection_info: {
      uid: connection.cookie,
      direction_id: directionId,
      direction,
      ...(transport && { protocol_num: transport.number, protocol_name: transport.name }),
      protocol_ver_id: ipVersionOf(connection),
    },
  }
}

function processOf({ host, process }: FindingJson): object {
  return {
    pid: process.pid,
    uid: `${host.boot_id}:${process.pid}:${process.start_ns}`,
    ...program(process),
    user: { uid: String(process.uid) },
    ...parents(process.ancestors),
  }
}

function parents([nearest, ...above]: FindingJson["process"]["ancestors"]): object {
  if (nearest === undefined) return {}
  return { parent_process: { pid: nearest.pid, ...program(nearest), ...parents(above) } }
}

function program(process: Pick<FindingJson["process"], "exe" | "argv">): object {
  const { name, path, commandLine } = programOf(process)
  return {
    cmd_line: commandLine,
    ...(name !== "" && { name, file: { name, path, type_id: regularFile, type: "Regular File" } }),
  }
}

function observables({ connection, host, process }: FindingJson): readonly object[] {
  const make = (name: string, [id, type]: readonly [number, string], value: string) => ({
    name,
    type_id: id,
    type,
    value,
  })
  const remote = connection && endsOf(connection)[0] === "remote" ? "src_endpoint" : "dst_endpoint"
  return [
    make("device.hostname", observableTypes.hostname, host.name),
    ...(connection ? [make(`evidences[0].${remote}.ip`, observableTypes.ip, connection.remote.address)] : []),
    ...(isKnown(process)
      ? [make("evidences[0].process.cmd_line", observableTypes.commandLine, programOf(process).commandLine)]
      : []),
  ]
}
