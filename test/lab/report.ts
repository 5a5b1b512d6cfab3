/** What a run of the lab shows, in Markdown. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Ablation } from "./ablation.js"
import type { Outcome } from "./outcome.js"
import { afterConnectMs, afterUseMs, isPlayed, score } from "./score.js"
import type { Latency, Rate } from "./score.js"
import type { Wan } from "./wan.js"

export interface Report {
  readonly wan: Wan | undefined
  readonly outcomes: readonly Outcome[]
  readonly ablations: readonly Ablation[]
}

const page = join(import.meta.dirname, "..", "..", "docs", "detection.md")

/** Puts the text into docs/detection.md, between the two marks of that table. */
export function writeIntoDocs(text: string, table: "lab" | "weights"): void {
  const [opening, closing] = [`<!-- ${table} table -->`, `<!-- /${table} table -->`]
  const before = readFileSync(page, "utf8")
  const [from, to] = [before.indexOf(opening), before.indexOf(closing)]
  if (from < 0 || to < from) throw new Error(`${page} has no place for the table: ${opening} and ${closing}`)
  writeFileSync(page, `${before.slice(0, from + opening.length)}\n\n${text}\n\n${before.slice(to)}`)
}

export function markdown({ wan, outcomes, ablations }: Report): string {
  const parts = [summary(outcomes, wan), familyTable(outcomes), maliciousTable(outcomes), benignText(outcomes)]
  if (ablations.length > 0) parts.push(ablationTable(ablations))
  const absent = absentText(outcomes)
  return [...parts, ...(absent === "" ? [] : [absent])].join("\n\n")
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
export const rateText = ({ count, of, low, high }: Rate): string =>
  of === 0 ? "none played" : `${count} of ${of} (${percent(count / of)}; 95 %: ${percent(low)} to ${percent(high)})`
const ms = (value: number | undefined): string => (value === undefined ? "-" : `${value.toFixed(0)} ms`)
const latencyText = ({ of, medianMs, p99Ms }: Latency): string => `${ms(medianMs)} | ${ms(p99Ms)} | ${of}`

function summary(outcomes: readonly Outcome[], wan: Wan | undefined): string {
  const s = score(outcomes)
  const link = wan === undefined ? "no delay" : `a round trip of ${wan.roundTripMs} ms and ${wan.lossPercent} % loss`
  return [
    `Over ${link}:`,
    "",
    "| measured | result |",
    "| --- | --- |",
    `| malicious cases with an alert | ${rateText(s.recall)} |`,
    `| of these in the right class | ${rateText(s.classes)} |`,
    `| of these in the right process | ${rateText(s.processes)} |`,
    `| benign cases with an alert | ${rateText(s.falseAlarms)} |`,
    "",
    "| time to the alert | median | p99 | cases |",
    "| --- | --- | --- | --- |",
    `| from the first use | ${latencyText(s.afterUse)} |`,
    `| from connect | ${latencyText(s.afterConnect)} |`,
  ].join("\n")
}

function familyTable(outcomes: readonly Outcome[]): string {
  const names = [...new Set(outcomes.map(({ family }) => family))]
  const rows = names.map((name) => {
    const s = score(outcomes.filter(({ family }) => family === name))
    const found = s.recall.of === 0 ? "-" : `${s.recall.count} of ${s.recall.of}`
    const alarms = s.falseAlarms.of === 0 ? "-" : `${s.falseAlarms.count} of ${s.falseAlarms.of}`
    return `| ${name} | ${found} | ${alarms} | ${ms(s.afterUse.medianMs)} |`
  })
  return ["| family | found | alarms | median after use |", "| --- | --- | --- | --- |", ...rows].join("\n")
}

function maliciousTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.filter((one) => one.kind === "malicious" && isPlayed(one)).map(maliciousRow)
  const head = "| case | finding | severity | process | after first use | after connect |"
  return [head, "| --- | --- | --- | --- | --- | --- |", ...rows].join("\n")
}

function maliciousRow(one: Outcome): string {
  const shown = one.right ?? one.alert
  if (shown === undefined) return `| ${one.name} | **not found** | | | | |`
  const program = shown.exe.slice(shown.exe.lastIndexOf("/") + 1)
  const cells = [
    one.name,
    one.right === undefined ? `**${shown.class}**` : shown.class,
    shown.severity,
    one.isProcessRight === true ? program : `**${program}**`,
    one.firstUs === undefined ? "not used" : ms(afterUseMs(one)),
    ms(afterConnectMs(one)),
  ]
  return `| ${cells.join(" | ")} |`
}

function benignText(outcomes: readonly Outcome[]): string {
  const benign = outcomes.filter((one) => one.kind === "benign" && isPlayed(one))
  const alarms = benign.flatMap(({ name, alert }) =>
    alert === undefined ? [] : [`- **${name}**: ${alert.class} ${alert.severity}, ${alert.summary}`],
  )
  const names = `Ordinary programs that were played: ${benign.map(({ name }) => name).join("; ")}.`
  return alarms.length === 0 ? names : `${names}\n\nFalse alarms:\n\n${alarms.join("\n")}`
}

function ablationTable(ablations: readonly Ablation[]): string {
  const rows = ablations.map(({ disabled, recall, falseAlarms, lost }) => {
    const shown = lost.length > 6 ? `${lost.slice(0, 6).join("; ")}; and ${lost.length - 6} more` : lost.join("; ")
    return `| ${disabled} | ${recall.count} of ${recall.of} | ${falseAlarms.count} of ${falseAlarms.of} | ${shown} |`
  })
  const head = "| switched off | found | alarms | no longer found |"
  return [head, "| --- | --- | --- | --- |", ...rows].join("\n")
}

function absentText(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ name, skipped, failed }) => [
    ...(skipped === undefined ? [] : [`- skipped: ${name} (${skipped})`]),
    ...(failed === undefined ? [] : [`- failed by itself: ${name} (${(failed.split("\n")[0] ?? "").slice(0, 200)})`]),
  ])
  return lines.length === 0 ? "" : `Not played:\n\n${lines.join("\n")}`
}
