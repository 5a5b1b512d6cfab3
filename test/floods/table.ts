import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { CanaryResult, When } from "./canaries.js"
import type { Measurement } from "./measure.js"
import { stopSeconds } from "./product.js"
import { findLimitMs } from "./second-host.js"

/** What is wanted, and printed beside what is. */
export const goals = {
  foundSeconds: 2,
  secondHostRatio: 1.5,
  livezSeconds: 1,
  stopSeconds,
  collectorBytes: 64 * 1024 * 1024,
} as const

interface Column {
  readonly head: string
  readonly text: (one: Measurement) => string
}

const detection: readonly Column[] = [
  { head: "flood", text: (one) => one.flood.name },
  {
    head: "what it does",
    text: (one) => `${one.flood.title}: ${amount(one.made)} in ${one.floodSeconds.toFixed(1)} s`,
  },
  { head: "canary before", text: (one) => canariesText(one.canaries, "before") },
  { head: "during", text: (one) => canariesText(one.canaries, "during") },
  { head: "right after", text: (one) => canariesText(one.canaries, "after") },
  { head: "a minute after", text: (one) => canariesText(one.canaries, "minute after") },
  { head: "findings on the flood", text: (one) => countsText(one.findingsOnFlood) },
]

const cost: readonly Column[] = [
  { head: "flood", text: (one) => one.flood.name },
  { head: "second host, times as long", text: secondHostText },
  { head: "slowest `/livez`", text: ({ liveness }) => livenessText(liveness) },
  { head: "stop under it", text: stopText },
  { head: "collector", text: ({ collectorRssBytes }) => collectorText(collectorRssBytes) },
  { head: "analyzer", text: analyzerText },
  {
    head: "lost, and counted",
    text: ({ losses }) => (losses === undefined ? "**/metrics silent**" : countsText(losses)),
  },
  { head: "alerts of the flood", text: alertsText },
]

/** Markdown: what was found, and what it cost. A figure that misses its goal is bold. */
export function tables(measurements: readonly Measurement[]): string {
  return [detection, cost].map((columns) => tableOf(columns, measurements)).join("\n\n")
}

function tableOf(columns: readonly Column[], measurements: readonly Measurement[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`
  return [
    row(columns.map(({ head }) => head)),
    row(columns.map(() => "---")),
    ...measurements.map((one) => row(columns.map(({ text }) => text(one)))),
  ].join("\n")
}

export const goalsText = [
  `Goals: found within ${goals.foundSeconds} s of the first use, in the right process;`,
  `second host at most ${goals.secondHostRatio} times as long;`,
  `/livez within ${goals.livezSeconds} s; a stop within ${goals.stopSeconds} s;`,
  `collector at most ${goals.collectorBytes / 1024 / 1024} MB.`,
].join(" ")

const marked = (text: string, isGood: boolean): string => (isGood ? text : `**${text}**`)
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`

const amount = (count: number): string => count.toLocaleString("en")

function stopText({ stopSeconds: seconds }: Measurement): string {
  const text = seconds === undefined ? `over ${stopSeconds + 10} s, killed` : `${seconds.toFixed(1)} s`
  return marked(text, seconds !== undefined && seconds <= goals.stopSeconds)
}

function collectorText(bytes: number | undefined): string {
  return bytes === undefined ? "**gone**" : marked(megabytes(bytes), bytes <= goals.collectorBytes)
}

function analyzerText({ analyzer }: Measurement): string {
  if (analyzer === undefined) return "**gone**"
  return `${analyzer.cpuSeconds.toFixed(1)} s, ${megabytes(analyzer.highestRssBytes)}`
}

function canariesText(all: readonly CanaryResult[], when: When): string {
  const those = all.filter((one) => one.when === when)
  return those.length === 0 ? "-" : those.map(canaryText).join("; ")
}

function canaryText(one: CanaryResult): string {
  if (one.class === undefined) return `**${one.kind}: nothing**`
  const what = one.isProcessRight ? "" : ", wrong process"
  if (one.seconds === undefined || !one.isProcessRight) return `**${one.kind}: ${one.class} ${one.severity}${what}**`
  return marked(`${one.severity} ${one.seconds.toFixed(1)} s`, one.seconds <= goals.foundSeconds)
}

function secondHostText({ secondHost: { alone, during } }: Measurement): string {
  const ratio = median(during) / median(alone)
  const text = (ms: number) => (ms < findLimitMs ? `${ms.toFixed(0)} ms` : `none in ${findLimitMs / 1e3} s`)
  return marked(
    `${ratio.toFixed(1)} (${text(median(during))}, worst ${text(Math.max(...during))} / ${text(median(alone))})`,
    ratio <= goals.secondHostRatio,
  )
}

/** Of the middle one, the upper where there are two; NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function livenessText({ slowestSeconds, timeouts, gapSeconds }: Measurement["liveness"]): string {
  const text =
    timeouts === 0 ? `${slowestSeconds.toFixed(2)} s` : `${timeouts} time-outs, none for ${gapSeconds.toFixed(0)} s`
  return marked(text, timeouts === 0 && slowestSeconds <= goals.livezSeconds)
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${amount(count)} ${name}`)
  return parts.length === 0 ? "none" : parts.join(", ")
}

function alertsText({ alerts: { findingsOfFlood, alertsOfFlood, canary } }: Measurement): string {
  const first =
    typeof canary === "string"
      ? `canary: ${canary}`
      : `canary's is number ${canary.position}, after ${canary.delaySeconds.toFixed(1)} s`
  return `${amount(alertsOfFlood)} of ${amount(findingsOfFlood)} findings; ${first}`
}

const page = join(import.meta.dirname, "..", "..", "docs", "limits.md")
const [opening, closing] = ["<!-- floods table -->", "<!-- /floods table -->"]

/** Puts the tables into docs/limits.md, between its two marks. */
export function writeIntoDocs(text: string): void {
  const before = readFileSync(page, "utf8")
  const [from, to] = [before.indexOf(opening), before.indexOf(closing)]
  if (from < 0 || to < from) throw new Error(`${page} has no place for the table: ${opening} and ${closing}`)
  writeFileSync(page, `${before.slice(0, from + opening.length)}\n\n${text}\n\n${before.slice(to)}`)
}
