import type { IncidentSummary, LiveEvents, Outbound, Overview, Severity } from "../../contract.js"
import { printable } from "../text/printable.js"

/** What the stream of events has told so far. */
export interface LiveState {
  readonly stream: "connecting" | "live" | "lost"
  /** Since when it is so, milliseconds since the epoch. */
  readonly sinceMs: number
  readonly overview: Overview | undefined
  readonly outbound: Outbound | undefined
  /** Incidents that changed while the page was open, by id. */
  readonly incidents: ReadonlyMap<string, IncidentSummary>
  /** Latest version heard of each finding, by id. */
  readonly findings: ReadonlyMap<string, number>
  /** Said aloud by screen readers. */
  readonly announcement: string
  /** Clock of the analyzer when the page heard of it first. */
  readonly heardSince: string | undefined
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
  heardSince: undefined,
  awaitsFirst: true,
}

/** Changes remembered of incidents and of findings; the lists themselves are asked for. */
const remembered = 2_000

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
        heardSince: state.heardSince ?? event.value.now,
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

/** The first version may never be told: of those within one beat of the analyzer only the last is. */
function isNews({ incidents, awaitsFirst, heardSince }: LiveState, incident: IncidentSummary): boolean {
  if (awaitsFirst || incident.status !== "open" || incidents.has(incident.id)) return false
  return (
    incident.version === 1 || (heardSince !== undefined && Date.parse(incident.first_seen) >= Date.parse(heardSince))
  )
}

function put<Value>(map: ReadonlyMap<string, Value>, key: string, value: Value): ReadonlyMap<string, Value> {
  const next = new Map(map)
  next.delete(key)
  next.set(key, value)
  const oldest = next.keys().next()
  if (next.size > remembered && oldest.done !== true) next.delete(oldest.value)
  return next
}

const gravities: readonly Severity[] = ["info", "low", "medium", "high", "critical"]

/** A list as it was asked for, with what changed since, in the order of the analyzer: the gravest first, then the latest. */
export function merged(
  listed: readonly IncidentSummary[],
  changed: ReadonlyMap<string, IncidentSummary>,
  status: "open" | "closed" | "all",
): readonly IncidentSummary[] {
  const byId = new Map(listed.map((one) => [one.id, one]))
  for (const one of changed.values()) if ((byId.get(one.id)?.version ?? 0) < one.version) byId.set(one.id, one)
  return [...byId.values()]
    .filter((one) => status === "all" || one.status === status)
    .sort(
      (a, b) =>
        gravities.indexOf(b.severity) - gravities.indexOf(a.severity) ||
        (a.last_seen < b.last_seen ? 1 : a.last_seen > b.last_seen ? -1 : a.id < b.id ? -1 : 1),
    )
}
