import type { IncidentSummary, LiveEvents, Outbound, Overview } from "../../contract.js"
import { printable } from "../text/printable.js"
import { severities } from "./severity.js"

/** What the stream of events has sent so far. */
export interface LiveState {
  readonly stream: "connecting" | "live" | "lost"
  /** Since when it is so, milliseconds since the epoch. */
  readonly sinceMs: number
  readonly overview: Overview | undefined
  readonly outbound: Outbound | undefined
  /** Incidents that changed while the page was open, by id. */
  readonly incidents: ReadonlyMap<string, IncidentSummary>
  /** Latest version of each finding, by id. */
  readonly findings: ReadonlyMap<string, number>
  /** Read out by screen readers. */
  readonly announcement: string
  /** Clock of the analyzer in the first overview, RFC 3339. */
  readonly firstSeenAt: string | undefined
  /** The stream begins with an incident that was there already, if any is open: that one is no news. */
  readonly awaitsFirst: boolean
}

export type LiveEvent =
  | { readonly [Kind in keyof LiveEvents]: { readonly kind: Kind; readonly value: LiveEvents[Kind] } }[keyof LiveEvents]
  | { readonly kind: "stream"; readonly value: LiveState["stream"]; readonly atMs: number }

export const nothingYet: LiveState = {
  stream: "connecting",
  sinceMs: 0,
  overview: undefined,
  outbound: undefined,
  incidents: new Map(),
  findings: new Map(),
  announcement: "",
  firstSeenAt: undefined,
  awaitsFirst: true,
}

/** Changes kept of incidents and of findings; the lists themselves are requested. */
const maxChanges = 2_000

/** The state after some events: what came within one frame is taken in together. */
export function advance(state: LiveState, events: readonly LiveEvent[]): LiveState {
  return events.reduce(step, state)
}

function step(state: LiveState, event: LiveEvent): LiveState {
  switch (event.kind) {
    case "stream":
      if (event.value === state.stream) return state
      return { ...state, stream: event.value, sinceMs: event.atMs, awaitsFirst: true }
    case "overview":
      return {
        ...state,
        overview: event.value,
        firstSeenAt: state.firstSeenAt ?? event.value.now,
        awaitsFirst: state.awaitsFirst && event.value.openIncidents > 0,
      }
    case "outbound":
      return { ...state, outbound: event.value }
    case "finding":
      return { ...state, findings: put(state.findings, event.value.id, event.value.version) }
    case "incident":
      return withIncident(state, event.value)
  }
}

function withIncident(state: LiveState, incident: IncidentSummary): LiveState {
  const known = state.incidents.get(incident.id)
  if (known !== undefined && known.version >= incident.version) return state
  const announcement = isNews(state, incident)
    ? `New incident, ${incident.severity}: ${printable(incident.summary)}`
    : state.announcement
  return { ...state, incidents: put(state.incidents, incident.id, incident), announcement, awaitsFirst: false }
}

/** The first version may never be sent: of those within one tick of the analyzer only the last is. */
function isNews({ incidents, awaitsFirst, firstSeenAt }: LiveState, incident: IncidentSummary): boolean {
  if (awaitsFirst || incident.status !== "open" || incidents.has(incident.id)) return false
  return (
    incident.version === 1 || (firstSeenAt !== undefined && Date.parse(incident.first_seen) >= Date.parse(firstSeenAt))
  )
}

function put<Value>(map: ReadonlyMap<string, Value>, key: string, value: Value): ReadonlyMap<string, Value> {
  const next = new Map(map)
  next.delete(key)
  next.set(key, value)
  const oldest = next.keys().next()
  if (next.size > maxChanges && oldest.done !== true) next.delete(oldest.value)
  return next
}

/** A list as it was loaded, with what changed since, in the order of the analyzer: the gravest first, then the latest. */
export function mergeIncidents(
  list: readonly IncidentSummary[],
  changed: ReadonlyMap<string, IncidentSummary>,
  status: "open" | "closed" | "all",
): readonly IncidentSummary[] {
  const byId = new Map(list.map((one) => [one.id, one]))
  for (const one of changed.values()) if ((byId.get(one.id)?.version ?? 0) < one.version) byId.set(one.id, one)
  return [...byId.values()]
    .filter((one) => status === "all" || one.status === status)
    .sort(
      (a, b) =>
        severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
        (a.last_seen < b.last_seen ? 1 : a.last_seen > b.last_seen ? -1 : a.id < b.id ? -1 : 1),
    )
}
