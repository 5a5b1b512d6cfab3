import type { HostSummary, Overview } from "@backflow/page/contract"
import { formatTime } from "../../text/rfc3339.js"
import { lossText } from "../../telemetry/losses.js"
import type { LiveFindings } from "../live/live-findings.js"
import type { LiveOutbound } from "./outbound.js"
import { problemsOf } from "./problems.js"
import { SinkStates } from "./sink-states.js"
import { bootKey } from "../../domain/keys.js"
import type { Lost } from "../../domain/lost.js"
import { lostKinds } from "../../domain/lost.js"
import type { Microseconds } from "../../domain/identity.js"
import type { AlertStatus, AnalyzerStatus } from "../../telemetry/status.js"

/** Hosts and problems of one response at most. */
const maxHosts = 1_000
const maxProblems = 200

export interface OverviewPorts {
  readonly analyzer: () => AnalyzerStatus
  readonly alerts: () => readonly AlertStatus[]
  /** Wall clock, microseconds since the epoch. */
  readonly nowUs: () => Microseconds
}

export interface OverviewParts {
  readonly version: string
  readonly startedUs: number
  readonly ports: OverviewPorts
  readonly live: LiveFindings
  readonly outbound: LiveOutbound
}

/** The state of everything, for the first look of a person. */
export class Overviews {
  readonly #parts: OverviewParts
  readonly #sinks = new SinkStates()

  constructor(parts: OverviewParts) {
    this.#parts = parts
  }

  now(): Overview {
    const { version, startedUs, ports, live, outbound } = this.#parts
    const state = ports.analyzer()
    const nowUs = ports.nowUs()
    const hosts = hostSummaries(state)
    const sinks = this.#sinks.of(state, ports.alerts())
    const { open, expected } = live.findingCounts
    return {
      version,
      now: formatTime(nowUs),
      started: formatTime(startedUs),
      openIncidents: live.openIncidents,
      openFindings: open,
      expectedFindings: expected,
      liveOutbound: outbound.total,
      liveConnections: state.hosts.reduce((sum, { counts }) => sum + counts.liveConnections, 0),
      problems: problemsOf(state, hosts, sinks, nowUs / 1_000).slice(0, maxProblems),
      hosts: hosts.slice(0, maxHosts),
      sinks,
    }
  }
}

/** One for each boot that is known, but for boots that a later one of the same host has replaced. */
function hostSummaries({ hosts, sessions }: AnalyzerStatus): HostSummary[] {
  const runs = new Map<string, { connected: boolean; lost: Partial<Record<keyof Lost, number>> }>()
  for (const session of sessions) {
    const { connected, counts } = session
    const key = bootKey(session)
    const run = runs.get(key) ?? { connected: false, lost: {} }
    run.connected ||= connected
    for (const kind of lostKinds) run.lost[kind] = (run.lost[kind] ?? 0) + (counts.lost?.[kind] ?? 0)
    runs.set(key, run)
  }
  const connected = new Set(sessions.filter((session) => session.connected).map(({ hostId }) => hostId))
  return hosts.flatMap(({ view: { host }, lastReceivedUs, counts, proofs }) => {
    const run = runs.get(bootKey(host))
    const isConnected = run?.connected ?? false
    if (!isConnected && connected.has(host.hostId)) return []
    return {
      id: host.hostId,
      name: host.hostName,
      kernel: host.kernel,
      collectorVersion: host.collectorVersion,
      connected: isConnected,
      lastReceivedAt: formatTime(lastReceivedUs),
      liveConnections: counts.liveConnections,
      degraded: host.degraded,
      lastProvenAt: proofs.lastProvenUs === undefined ? null : formatTime(proofs.lastProvenUs),
      blind: proofs.blind?.reason ?? null,
      lost: lostKinds.flatMap((kind) => {
        const count = run?.lost[kind] ?? 0
        return count > 0 ? [{ kind, count, text: lossText(kind, count) }] : []
      }),
    }
  })
}
