import type { Case, Kind, Run } from "./case.js"
import type { Arrival, LabFinding } from "./watch.js"

export const alarming: readonly string[] = ["medium", "high", "critical"]

/** A finding as a report shows it. Times are wall clock microseconds. */
export interface Sighting {
  readonly class: string
  readonly severity: string
  readonly exe: string
  readonly argv: readonly string[]
  readonly summary: string
  /** When it could be read outside the analyzer. */
  readonly atUs: number
  /** When the connection that it is about was opened; undefined for one without. */
  readonly connectedUs?: number
}

/** What became of one case. Plain values: it goes into JSON as it is. */
export interface Outcome {
  readonly name: string
  readonly family: string
  readonly kind: Kind
  readonly startUs: number
  readonly endUs: number
  readonly firstUs?: number
  readonly pids: readonly number[]
  /** The first finding of medium or above. */
  readonly alert?: Sighting
  /** The first one of a class that is wanted. */
  readonly right?: Sighting
  /** The right one names a program that is wanted. */
  readonly isProcessRight?: boolean
  /** Both ends of the outside connection counted the same bytes; not looked at in every run. */
  readonly isExact?: boolean
  /** A program that it needs is missing: nothing was played. */
  readonly skipped?: string
  /** Its own traffic did not prove itself: nothing can be said of the product. */
  readonly failed?: string
}

export function sighting({ finding, atUs }: Arrival): Sighting {
  const { class: name, severity, summary, process, connection } = finding
  const connected = connection === null ? {} : { connectedUs: Date.parse(connection.opened_at) * 1000 }
  return { class: name, severity, exe: process.exe, argv: process.argv, summary, atUs, ...connected }
}

/** It names one of the processes, or a child of one. */
export function concerns({ process }: LabFinding, pids: readonly number[]): boolean {
  return pids.includes(process.pid) || process.ancestors.some((ancestor) => pids.includes(ancestor.pid))
}

export const isAlarming = ({ severity, status }: LabFinding): boolean =>
  alarming.includes(severity) && !["expected", "suppressed", "proof"].includes(status)

/** What of the arrivals belongs to a case that must be found. */
export function malicious(one: Case, run: Run, arrivals: readonly Arrival[]): Partial<Outcome> {
  const own = arrivals.filter(({ finding }) => isAlarming(finding) && concerns(finding, run.pids))
  const wanted = own.filter(({ finding }) => one.finds?.class.includes(finding.class) === true)
  const exact = wanted.find(({ finding }) => one.finds?.exe.test(finding.process.exe) === true)
  const [alert, right] = [own[0], exact ?? wanted[0]]
  return {
    ...(alert === undefined ? {} : { alert: sighting(alert) }),
    ...(right === undefined ? {} : { right: sighting(right), isProcessRight: exact !== undefined }),
  }
}
