import type { HostState, Problem, SinkState } from "@backflow/page/contract"
import type { RejectionReason } from "../../ingest/decode/rejections.js"
import type { AnalyzerStatus } from "../../telemetry/status.js"

/** A host that says nothing for so long, in seconds, is told of; collectors send at least every second. */
export const silentSeconds = 60

/** What is lost, degraded or failing, for a person; worst first. */
export function problemsOf(
  { rejected, streams }: AnalyzerStatus,
  hosts: readonly HostState[],
  sinks: readonly SinkState[],
  nowMs: number,
): readonly Problem[] {
  const problems = [
    ...sinks.flatMap(sinkProblems),
    ...hosts.flatMap((host) => hostProblems(host, nowMs)),
    ...rejected.flatMap(([reason, count]) => rejectionProblem(reason, count)),
  ]
  if (streams === 0 && hosts.length === 0)
    problems.push(warning("No collector has reported yet.", "Start one: sudo backflow up, or backflow-collector on other hosts.")) // prettier-ignore
  return problems.sort((a, b) => Number(b.severity === "error") - Number(a.severity === "error"))
}

function sinkProblems({ name, condition, shed }: SinkState): Problem[] {
  const problems: Problem[] = []
  if (condition.state !== "ok") {
    const [text = "", ...remedy] = condition.text.split(/(?<=\.) /)
    problems.push({ severity: condition.state === "failing" ? "error" : "warning", text: `${name}: ${text}`, remedy: remedy.join(" ") }) // prettier-ignore
  }
  if (shed > 0)
    problems.push(warning(`${name}: ${shed} outputs were given up for lack of room.`, "Findings are in the store still: see why this sink is slow.")) // prettier-ignore
  return problems
}

function hostProblems({ name, connected, heard, degraded, lost }: HostState, nowMs: number): Problem[] {
  const problems: Problem[] = []
  const silence = (nowMs - Date.parse(heard)) / 1_000
  if (!connected)
    problems.push(error(`${name} is not connected; it was heard last ${ago(silence)}.`, "Look at the collector there: is it running, and can it reach this analyzer?")) // prettier-ignore
  else if (silence > silentSeconds)
    problems.push(warning(`${name} is connected but says nothing since ${ago(silence)}.`, "Look at the log of the collector there.")) // prettier-ignore
  for (const { feature, consequence } of degraded)
    problems.push(warning(`${name} lacks ${feature}: ${consequence}.`, "A newer kernel or more rights may bring it: backflow doctor tells on that host.")) // prettier-ignore
  for (const { text } of lost) {
    const [, what = text, remedy = "Look at the log of the collector there."] = /^(.*) \((.*)\)$/.exec(text) ?? []
    problems.push(warning(`${name} ${what}.`, sentence(remedy)))
  }
  return problems
}

const rejectionWords: Readonly<Partial<Record<RejectionReason, readonly [text: string, remedy: string]>>> = {
  unauthenticated: ["streams without a valid token were refused", "Give collectors the token of listen.token_file."],
  protocol_version: ["collectors of another release were refused", "Install the same release on both sides."],
  too_many_streams: ["collectors were refused because too many are connected", "Run a second analyzer."],
  analysis_failed: ["batches could not be analysed: a fault of Backflow's", "Report it with the analyzer's log."],
}

function rejectionProblem(reason: string, count: number): Problem[] {
  if (count === 0) return []
  const [text, remedy] = rejectionWords[reason as RejectionReason] ?? [
    `records or messages of collectors were not used (${reason})`,
    "Collector and analyzer may be of different releases, or somebody sends what no collector does.",
  ]
  return [warning(`${count} ${text}.`, remedy)]
}

function ago(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s ago`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`
}

const warning = (text: string, remedy: string): Problem => ({ severity: "warning", text, remedy })
const error = (text: string, remedy: string): Problem => ({ severity: "error", text, remedy })
