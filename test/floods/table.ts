import { isFound } from "./canaries.js"
import type { CanaryResult, When } from "./canaries.js"
import type { Measurement } from "./measure.js"
import { stopSeconds } from "./product.js"

/** What is wanted, and printed beside what is. */
export const goals = {
  foundSeconds: 2,
  secondHostRatio: 1.5,
  livezSeconds: 1,
  stopSeconds,
  collectorBytes: 64 * 1024 * 1024,
} as const

const head = [
  "flood",
  "found during",
  "right after",
  "a minute after",
  "second host, flood / alone",
  "slowest `/livez`",
  "stop",
  "collector",
  "analyzer",
  "lost, as told",
  "findings on the flood; alerts",
]

/** Markdown. A figure that misses its goal is bold. */
export function table(measurements: readonly Measurement[]): string {
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...measurements.map(row)].join("\n")
}

export const goalsText = [
  `Goals: found within ${goals.foundSeconds} s of the first use, in the right process;`,
  `second host at most ${goals.secondHostRatio} times as long;`,
  `/livez within ${goals.livezSeconds} s; a stop within ${goals.stopSeconds} s;`,
  `collector at most ${goals.collectorBytes / 1024 / 1024} MB.`,
].join(" ")

function row(one: Measurement): string {
  const { flood, liveness, collectorRssBytes: rss } = one
  return `| ${[
    `${flood.title} (${one.made.toLocaleString("en")} in ${one.floodSeconds.toFixed(1)} s)`,
    canariesText(one.canaries, "during"),
    canariesText(one.canaries, "after"),
    canariesText(one.canaries, "minute after"),
    secondHostText(one),
    livenessText(liveness),
    marked(
      one.stopSeconds === undefined ? `over ${stopSeconds + 10} s, killed` : `${one.stopSeconds.toFixed(1)} s`,
      (one.stopSeconds ?? Infinity) <= goals.stopSeconds,
    ),
    rss === undefined ? "**gone**" : marked(megabytes(rss), rss <= goals.collectorBytes),
    one.analyzer === undefined
      ? "**gone**"
      : `${one.analyzer.cpuSeconds.toFixed(1)} s, ${megabytes(one.analyzer.highestRssBytes)}`,
    one.losses === undefined ? "**/metrics dead**" : countsText(one.losses),
    `${countsText(one.saidOfFlood)}; ${alertsText(one)}`,
  ].join(" | ")} |`
}

const marked = (text: string, isGood: boolean): string => (isGood ? text : `**${text}**`)
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`

function canariesText(all: readonly CanaryResult[], when: When): string {
  const those = all.filter((one) => one.when === when)
  return those.length === 0 ? "-" : those.map(canaryText).join("; ")
}

function canaryText(one: CanaryResult): string {
  if (!isFound(one))
    return `**${one.kind}: ${one.class === undefined ? "nothing" : `${one.class} ${one.severity}${one.isProcessRight ? "" : ", wrong process"}`}**`
  return marked(`${one.severity} ${(one.seconds ?? 0).toFixed(1)} s`, (one.seconds ?? Infinity) <= goals.foundSeconds)
}

function secondHostText({ secondHost: { alone, during } }: Measurement): string {
  const ratio = median(during) / median(alone)
  const text = (ms: number) => (Number.isFinite(ms) ? `${ms.toFixed(0)} ms` : "none in 5 s")
  const shown = Number.isFinite(ratio) ? ratio.toFixed(1) : "-"
  return marked(
    `${shown} (${text(median(during))}, worst ${text(Math.max(...during))} / ${text(median(alone))})`,
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
  const parts = Object.entries(counts).map(([name, count]) => `${count.toLocaleString("en")} ${name}`)
  return parts.length === 0 ? "0" : parts.join(", ")
}

function alertsText({ alerts: { findingsOfFlood, alertsOfFlood, firstGrave } }: Measurement): string {
  const first =
    firstGrave === undefined
      ? ""
      : `, first high as number ${firstGrave.position} after ${firstGrave.delaySeconds.toFixed(1)} s`
  return `${alertsOfFlood} alerts of ${findingsOfFlood}${first}`
}
