import type { FindingJson } from "../../documents/finding-json.js"

export type AlertKind = "created" | "updated" | "closed"

/** Why a finding is over for its readers. */
export type ClosedBecause = "ended" | "lowered" | "expected" | "suppressed"

/** What one alert stands for, when there were too many of its identity to send each. */
export interface Limited {
  /** Findings, its own included. */
  readonly count: number
  /** The same by class. */
  readonly classes: Readonly<Record<string, number>>
  /** For people: "uid 1000, bash". */
  readonly identity: string
  /** Begin of the minute of event time: RFC 3339. */
  readonly minute: string
}

/** One version of a finding on its way to people and programs outside. Plain JSON: this is what an outbox holds. */
export interface Alert {
  readonly kind: AlertKind
  /** Present when the finding is over with this version; with `created` when it was over before anything could be sent. */
  readonly because?: ClosedBecause
  /** When the version was decided with which the finding first left: RFC 3339, event time. */
  readonly createdAt: string
  readonly finding: FindingJson
  readonly limited?: Limited
}

/** `<uid>:<version>`: the same over retries, restarts and replays, so that consumers recognise repeats. */
export function alertId({ finding }: Alert): string {
  return `${finding.id}:${finding.version}`
}
