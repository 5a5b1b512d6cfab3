import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Arrival } from "./watch.js"
import type { Case, Run } from "./case.js"

export interface Verdict {
  readonly case: Case
  readonly run: Run
  /** The finding that was waited for, or the worst that came where none may. */
  readonly arrival: Arrival | undefined
  /** Both ends of the outside connection counted the same bytes. */
  readonly exact: boolean | undefined
}

/** Milliseconds from the first byte that the outside sent in to the finding, readable outside the analyzer. */
export function latencyMs({ run, arrival }: Verdict): number | undefined {
  return run.firstUs === undefined || arrival === undefined ? undefined : (arrival.atUs - run.firstUs) / 1000
}

/** Nearest-rank percentile. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

const page = join(import.meta.dirname, "..", "..", "docs", "detection.md")
const [opening, closing] = ["<!-- lab table -->", "<!-- /lab table -->"]

/** Puts the table into docs/detection.md, between its two marks. */
export function writeIntoDocs(text: string): void {
  const before = readFileSync(page, "utf8")
  const [from, to] = [before.indexOf(opening), before.indexOf(closing)]
  if (from < 0 || to < from) throw new Error(`${page} has no place for the table: ${opening} and ${closing}`)
  writeFileSync(page, `${before.slice(0, from + opening.length)}\n\n${text}\n\n${before.slice(to)}`)
}

/** The table of docs/detection.md, in Markdown. */
export function table(verdicts: readonly Verdict[]): string {
  const found = verdicts.filter((v) => v.case.finds !== undefined)
  const benign = verdicts.filter((v) => v.case.finds === undefined)
  const hits = found.filter((v) => v.arrival !== undefined)
  const alarms = benign.filter((v) => v.arrival !== undefined)
  const latencies = hits.flatMap((v) => (v.run.firstUs === undefined ? [] : Math.max(0, latencyMs(v) ?? 0)))
  const rows = found.map(foundRow)
  const ms = (share: number): string => `${(percentile(latencies, share) ?? 0).toFixed(0)} ms`
  return [
    "| case | finding | severity | process | bytes | after first use |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `Found ${hits.length} of ${found.length}; time from the first byte sent in to the finding: median ${ms(0.5)}, p99 ${ms(0.99)}.`,
    "",
    `False alarms: ${alarms.length} in ${benign.length} ordinary programs (${benign.map((v) => v.case.name).join("; ")}).`,
  ].join("\n")
}

function foundRow(verdict: Verdict): string {
  const finding = verdict.arrival?.finding
  if (finding === undefined) return `| ${verdict.case.name} | **not found** | | | | |`
  const latency = latencyMs(verdict)
  const cells = [
    verdict.case.name,
    finding.class,
    finding.severity,
    finding.process.exe.slice(finding.process.exe.lastIndexOf("/") + 1),
    verdict.exact === true ? "exact" : "**differ**",
    latency === undefined ? "not used" : latency < 0 ? "before it was used" : `${latency.toFixed(0)} ms`,
  ]
  return `| ${cells.join(" | ")} |`
}
