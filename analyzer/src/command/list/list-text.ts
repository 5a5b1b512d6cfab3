import type { IncidentJson } from "../../documents/finding-json.js"
import { bytesText, compactDuration } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import { commandLine, printable } from "../../text/terminal-text.js"
import { parseTime, timeOfDay, toMilliseconds } from "../../text/rfc3339.js"
import type { ConnectionJson } from "../../store/read/queries.js"

/** A connection on one line. */
export function connectionText(row: ConnectionJson): string {
  const age = (parseTime(row.observed_at) ?? 0) - (parseTime(row.opened_at) ?? 0)
  const arrow = { local: "->", remote: "<-", unknown: "--" }[row.initiator] ?? "--"
  const local = printable(endpointText({ address: row.local, port: row.local_port }))
  const remote = printable(endpointText({ address: row.remote, port: row.remote_port }))
  const process =
    row.pid === 0
      ? "process unknown"
      : `${commandLine(row.argv.length > 0 ? [...row.argv] : [row.exe], 80)} (${row.pid})`
  return (
    `${toMilliseconds(row.observed_at)} ${row.closed.padEnd(8)} ${row.protocol} ${local} ${arrow} ${remote}  ` +
    `${compactDuration(age)}, ${bytesText(row.bytes_sent)} sent, ${bytesText(row.bytes_received)} received  ${printable(row.host)}: ${process}\n`
  )
}

/** An incident with its time line. */
export function incidentText(incident: IncidentJson): string {
  const { last_seen, severity, status, summary, identity, host, timeline, id } = incident
  const lines = [
    `${toMilliseconds(last_seen)} ${severity.toUpperCase().padEnd(8)} ${status}: ${printable(summary)}`,
    `host       ${printable(host.name)}, ${printable(identity)}`,
    ...timeline.map(({ at, text }) => `${timeOfDay(at)} ${printable(text)}`),
    `incident   ${id}`,
  ]
  return `${lines.join("\n         ")}\n`
}
