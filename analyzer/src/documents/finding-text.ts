import type { Severity } from "../domain/severity.js"
import type { FindingJson } from "./finding-json.js"
import { parseTime, timeOfDay } from "../text/rfc3339.js"
import { bytesText, compactDuration } from "../text/amounts.js"
import { endpointText } from "../text/endpoint.js"
import { commandLine, printable } from "../text/terminal-text.js"

/** ANSI colours by severity (ECMA-48 SGR). */
const colours: Readonly<Record<Severity, string>> = {
  info: "2",
  low: "36",
  medium: "33",
  high: "31",
  critical: "1;31",
}

/** The nearest ones identify who it was; the JSON form has them all. */
const shownAncestors = 3

/** How much of a finding to show: all of it, or what a new version changes. */
export type Detail = "full" | "short"

/** Lines for a person on call. `colour` only when a terminal reads them. */
export function findingText(finding: FindingJson, detail: Detail, colour: boolean): string {
  const head = `${timeOfDay(finding.detected_at)} ${paint(finding.severity.toUpperCase().padEnd(8), finding.severity, colour)} ${status(finding)}${printable(finding.summary)}`
  const lines = detail === "short" ? [head, changes(finding)] : [head, ...facts(finding)]
  return `${lines.join("\n         ")}\n`
}

function facts(finding: FindingJson): string[] {
  const { process, connection, host } = finding
  const label = (name: string) => name.padEnd(11)
  const lines = [
    `${label("process")}${commandLine(process.argv.length > 0 ? process.argv : [process.exe])}`,
    `${label("")}pid ${process.pid}, uid ${process.uid}, ${printable(process.exe)}${process.container_id === "" ? "" : `, container ${printable(process.container_id.slice(0, 12))}`}, host ${printable(host.name)}`,
  ]
  if (process.ancestors.length > 0) {
    const shown = process.ancestors
      .slice(0, shownAncestors)
      .map(({ pid, exe, argv }) => `${commandLine(argv.length > 0 ? argv : [exe], 60)} (${pid})`)
    if (process.ancestors.length > shownAncestors) shown.push("…")
    lines.push(`${label("started by")}${shown.join(" < ")}`)
  }
  if (connection !== null) {
    const age = (parseTime(finding.last_seen) ?? 0) - (parseTime(connection.opened_at) ?? 0)
    const way = connection.initiator === "remote" ? "from" : "to"
    lines.push(
      `${label("connection")}${printable(endpointText(connection.local))} ${way} ${printable(endpointText(connection.remote))}, ${connection.still_open ? "open for" : "closed after"} ${compactDuration(age)}, ` +
        `${bytesText(connection.bytes_sent)} sent, ${bytesText(connection.bytes_received)} received`,
    )
  }
  finding.evidence.forEach(({ text }, i) => lines.push(`${label(i === 0 ? "evidence" : "")}${printable(text)}`))
  lines.push(
    `${label("finding")}${finding.class}, score ${finding.score.toFixed(2)}, confidence ${finding.confidence.toFixed(2)}, ${finding.attack.join(" ")}`,
  )
  lines.push(`${label("")}${finding.id}`)
  return lines
}

function changes(finding: FindingJson): string {
  const { connection } = finding
  const bytes =
    connection === null
      ? ""
      : `, ${bytesText(connection.bytes_sent)} sent, ${bytesText(connection.bytes_received)} received`
  return `version ${finding.version}, score ${finding.score.toFixed(2)}${bytes}, ${finding.id}`
}

function status({ status: word }: FindingJson): string {
  return word === "open" ? "" : `${word}: `
}

function paint(text: string, severity: Severity, colour: boolean): string {
  return colour ? `\u001b[${colours[severity]}m${text}\u001b[0m` : text
}
