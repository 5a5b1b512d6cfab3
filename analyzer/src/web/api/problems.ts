import type { HostSummary, Problem, SinkState } from "@backflow/page/contract"
import type { RejectionReason } from "../../ingest/decode/rejections.js"
import { evictedLines } from "../../telemetry/losses.js"
import type { AnalyzerStatus, HostStatus, SessionStatus } from "../../telemetry/status.js"
import { durationText } from "../../text/amounts.js"
import { unfollowedProblems } from "./unfollowed-problems.js"

/** A connected host counts as silent after a minute; collectors send at least every second. */
const silentUs = 60e6

/** A clock that is so far ahead is shown; beyond five minutes its batches are refused. */
const clockAheadReportedUs = 10e6

const flooded = "Look at what floods that host. If it is ordinary load, run a second analyzer."

/** What to do about each kind of problem. */
const remedies = {
  noCollector: "Start one: sudo backflow up, or backflow-collector on other hosts.",
  dropped: "Findings are in the store; check why this sink is slow.",
  disconnected: "Check the collector on that host: is it running, and can it reach this analyzer?",
  silent: "Check the collector's log on that host.",
  blind:
    "Run backflow prove; the finding host_blind says what was lost, and backflow doctor on that host what is missing.",
  degraded: "A newer kernel or more rights may bring it: run backflow doctor on that host.",
  delayed: flooded,
  evicted: flooded,
  clock: "Set the clock of that host, or the analyzer's: beyond 5 minutes its batches are refused.",
  rejected: "Collector and analyzer may be of different releases, or something else sends to this port.",
} as const

/** What is lost, degraded or failing, for a person; worst first. */
export function problemsOf(
  { rejected, streams, sessions, hosts: states }: AnalyzerStatus,
  hosts: readonly HostSummary[],
  sinks: readonly SinkState[],
  nowMs: number,
): readonly Problem[] {
  const problems = [
    ...sinks.flatMap(sinkProblems),
    ...hosts.flatMap((host) => hostProblems(host, nowMs)),
    ...states.flatMap(shareProblems),
    ...states.flatMap(evictedProblems),
    ...sessions.flatMap(clockProblems),
    ...unfollowedProblems({ sessions, hosts: states }),
    ...rejected.flatMap(([reason, count]) => rejectionProblem(reason, count)),
  ]
  if (streams === 0 && hosts.length === 0)
    problems.push(warning("No collector has connected yet.", remedies.noCollector))
  return problems.sort((a, b) => Number(b.severity === "error") - Number(a.severity === "error"))
}

function sinkProblems({ name, condition, shed, outbox }: SinkState): Problem[] {
  const problems: Problem[] = []
  if (condition.state !== "ok") {
    const [text = "", ...remedy] = condition.text.split(/(?<=\.) /)
    const make = condition.state === "failing" ? error : warning
    problems.push(make(`${name}: ${text}`, remedy.join(" ")))
  }
  // Of alerts the condition says it.
  if (shed > 0 && outbox === undefined)
    problems.push(warning(`${name}: ${shed} outputs were dropped for lack of room.`, remedies.dropped))
  return problems
}

function hostProblems(
  { name, connected, lastReceivedAt, degraded, lost, blind }: HostSummary,
  nowMs: number,
): Problem[] {
  const problems: Problem[] = []
  const silenceUs = (nowMs - Date.parse(lastReceivedAt)) * 1_000
  if (!connected)
    problems.push(error(`${name} is disconnected; last seen ${durationText(silenceUs)} ago.`, remedies.disconnected))
  else if (silenceUs > silentUs)
    problems.push(warning(`${name} is connected but silent for ${durationText(silenceUs)}.`, remedies.silent))
  if (blind !== null) problems.push(error(`${name} is blind: ${blind}.`, remedies.blind))
  for (const { feature, consequence } of degraded)
    problems.push(warning(`${name} lacks ${feature}: ${consequence}.`, remedies.degraded))
  for (const { text } of lost) {
    const [, what = text, remedy = remedies.silent] = /^(.*) \((.*)\)$/.exec(text) ?? []
    problems.push(warning(`${name} ${what}.`, sentence(remedy)))
  }
  return problems
}

/** Who is shown here costs others nothing: it waits, and they do not. */
function shareProblems({ view, share }: HostStatus): Problem[] {
  if (!share.isDelayed) return []
  const delay = durationText(share.delayedMs * 1_000)
  return [
    warning(`${view.host.hostName} sends more than its share and is delayed, by ${delay} in all.`, remedies.delayed),
  ]
}

/** Each user has a share of every bound: others lose nothing by one who is over his. */
function evictedProblems({ view, counts }: HostStatus): Problem[] {
  return evictedLines(counts.evicted).map((line) =>
    warning(`Of ${view.host.hostName} the analyzer ${line}.`, remedies.evicted),
  )
}

function clockProblems({ host, counts }: SessionStatus): Problem[] {
  const { clockAheadUs } = counts
  if (clockAheadUs < clockAheadReportedUs) return []
  return [warning(`The clock of ${host} is ${durationText(clockAheadUs)} ahead of the analyzer's.`, remedies.clock)]
}

const rejectionTexts: Readonly<Partial<Record<RejectionReason, readonly [text: string, remedy: string]>>> = {
  unauthenticated: [
    "connections without a valid token were refused",
    "Give collectors the token of listen.token_file.",
  ],
  protocol_version: ["collectors of another release were refused", "Install the same release on both sides."],
  too_many_streams: ["collectors were refused because too many are connected", "Run a second analyzer."],
  too_many_hosts: [
    "collectors were refused because their peer has brought too many hosts",
    "Run a second analyzer, or look at what invents hosts there.",
  ],
  host_conflict: [
    "collectors named a host that is connected from another peer",
    "The analyzer's log names both. Give cloned machines ids of their own; else one of them is false.",
  ],
  clock_ahead: [
    "messages were refused because the clock of their host is more than 5 minutes ahead",
    "Set the clock of that host, or the analyzer's.",
  ],
  analysis_failed: ["batches failed in the analysis: a bug of Backflow", "Report it with the analyzer's log."],
}

function rejectionProblem(reason: string, count: number): Problem[] {
  if (count === 0) return []
  const [text, remedy] = rejectionTexts[reason as RejectionReason] ?? [
    `records or messages of collectors were rejected (${reason})`,
    remedies.rejected,
  ]
  return [warning(`${count} ${text}.`, remedy)]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`
}

const warning = (text: string, remedy: string): Problem => ({ severity: "warning", text, remedy })
const error = (text: string, remedy: string): Problem => ({ severity: "error", text, remedy })
