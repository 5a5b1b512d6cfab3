import type { Finding } from "../../domain/finding.js"
import type { Microseconds } from "../../domain/identity.js"
import { isGraver } from "../../domain/severity.js"
import type { Severity } from "../../domain/severity.js"
import { findingJson } from "../../documents/finding-json.js"
import { programName } from "../../text/program-name.js"
import { rootOf } from "../../text/program-root.js"
import { formatTime } from "../../text/rfc3339.js"
import type { Alert, ClosedBecause, Limited } from "./alert.js"

const minuteUs = 60_000_000

/** How long a minute of event time is waited for to end, by the clock: its host may have gone. Milliseconds. */
const maxWindowMs = 90_000

/** Identities of one host counted apart in a minute: more, made up by changing names, are one together. */
const maxIdentities = 50
/** Minutes of identities held at once, over all hosts; beyond it the oldest is summed at once. Some 2 kB each. */
const maxWindows = 10_000
/** Findings held back in a minute that its sum may be the alert of: some get graver meanwhile and leave by themselves. */
const maxCandidates = 8
/** Hosts whose minute is known. */
const maxHosts = 10_000
/** Findings remembered as held back, some 100 bytes each; beyond it the oldest is forgotten and counts as new when it changes. */
const maxHeld = 50_000

/** First alerts of one identity and severity within a minute. */
interface Window {
  readonly minute: number
  readonly openedMs: number
  readonly host: string
  readonly identity: string
  readonly admitted: Set<string>
  /** Findings held back, by class. */
  readonly classes: Map<string, number>
  /** By id. */
  readonly candidates: Map<string, Candidate>
}

interface Candidate {
  readonly finding: Finding
  readonly because: ClosedBecause | undefined
}

interface Held {
  readonly severity: Severity
  readonly window: Window
}

/** A minute that is over, and the one alert that sums what was held back in it. */
export interface Summary {
  readonly window: unknown
  readonly alert: Alert
}

/**
 * Holds back the first alerts of an identity that come faster than so many a minute of event time, for each severity by itself:
 * a first HIGH is not swallowed by the mediums of the same identity. What is held back in a minute leaves as one alert, that of
 * the finding with the highest score, which says how many more there were. A finding that is held back stays so until it gets
 * graver or is over. In memory alone: a restart begins the minute anew.
 */
export class AlertLimiter {
  /** First alerts a minute; 0 for no limit. */
  readonly #max: number
  readonly #nowMs: () => number
  /** By host, severity and identity. */
  readonly #windows = new Map<string, Window>()
  readonly #held = new Map<string, Held>()
  /** Minutes that are over, until their summaries are durable. */
  readonly #over = new Set<Window>()
  /** Highest minute seen, and the identities counted apart in it, by host. */
  readonly #hosts = new Map<string, { minute: number; readonly identities: Set<string> }>()
  #limited = 0

  constructor(max: number, nowMs: () => number) {
    this.#max = max
    this.#nowMs = nowMs
  }

  /** Findings held back so far, those that stand for others in a sum included. */
  get limited(): number {
    return this.#limited
  }

  /** Whether a finding that its readers do not know stays unsaid. `because` when it is over for them with this version. */
  holdsBack(finding: Finding, because: ClosedBecause | undefined, isWanted: boolean): boolean {
    if (this.#max === 0) return false
    const held = this.#held.get(finding.id)
    if (held !== undefined) {
      const isReleased = isWanted && isGraver(finding.severity, held.severity)
      if (isReleased || because !== undefined) this.#held.delete(finding.id)
      const isOver = isReleased || (because !== undefined && because !== "ended")
      noteCandidate(held.window.candidates, { finding, because }, isOver)
      if (!isReleased) return true
    }
    if (!isWanted) return false
    const window = this.#windowOf(finding)
    if (window.admitted.has(finding.id)) return false
    if (window.admitted.size < this.#max) {
      window.admitted.add(finding.id)
      return false
    }
    this.#hold(finding, because, window)
    return true
  }

  /** Event time of a host has come so far. */
  advance(hostId: string, atUs: Microseconds): void {
    if (this.#max === 0) return
    const minute = Math.floor(atUs / minuteUs)
    const host = this.#hosts.get(hostId)
    if (host !== undefined && minute <= host.minute) return
    if (host === undefined) {
      this.#hosts.set(hostId, { minute, identities: new Set() })
      if (this.#hosts.size > maxHosts) for (const oldest of this.#hosts.keys()) return void this.#hosts.delete(oldest)
      return
    }
    host.minute = minute
    host.identities.clear()
    for (const [key, window] of this.#windows) {
      if (window.host === hostId && window.minute < minute) this.#end(key, window)
    }
  }

  /** Sums of the minutes that are over; of those that were waited for long enough, and of all at the end. */
  summaries(isEnd = false): readonly Summary[] {
    const deadline = this.#nowMs() - maxWindowMs
    for (const [key, window] of this.#windows) if (isEnd || window.openedMs <= deadline) this.#end(key, window)
    return [...this.#over].flatMap((window) => {
      const alert = sumOf(window)
      if (alert !== undefined) return [{ window, alert }]
      // All that it could be the alert of got graver and left, or is over by policy.
      this.#over.delete(window)
      return []
    })
  }

  /** They are durable. */
  done(summaries: readonly Summary[]): void {
    for (const { window, alert } of summaries) {
      this.#over.delete(window as Window)
      this.#held.delete(alert.finding.id)
    }
  }

  #windowOf(finding: Finding): Window {
    this.advance(finding.host.id, finding.detectedAtUs)
    const host = this.#hosts.get(finding.host.id)
    const minute = host?.minute ?? Math.floor(finding.detectedAtUs / minuteUs)
    let { key, text } = identityOf(finding)
    if (host !== undefined && !host.identities.has(key)) {
      if (host.identities.size < maxIdentities) host.identities.add(key)
      else [key, text] = ["", "many users and programs"]
    }
    const full = JSON.stringify([finding.host.id, finding.severity, key])
    const known = this.#windows.get(full)
    if (known !== undefined) return known
    for (const [oldest, window] of this.#windows) {
      if (this.#windows.size < maxWindows) break
      this.#end(oldest, window)
    }
    const made: Window = {
      minute,
      openedMs: this.#nowMs(),
      host: finding.host.id,
      identity: text,
      admitted: new Set(),
      classes: new Map(),
      candidates: new Map(),
    }
    this.#windows.set(full, made)
    return made
  }

  #hold(finding: Finding, because: ClosedBecause | undefined, window: Window): void {
    this.#limited += 1
    window.classes.set(finding.class, (window.classes.get(finding.class) ?? 0) + 1)
    noteCandidate(window.candidates, { finding, because }, false)
    if (because !== undefined) return
    this.#held.set(finding.id, { severity: finding.severity, window })
    if (this.#held.size > maxHeld) for (const oldest of this.#held.keys()) return void this.#held.delete(oldest)
  }

  #end(key: string, window: Window): void {
    this.#windows.delete(key)
    if (window.classes.size > 0) this.#over.add(window)
  }
}

/** Whose doing it is, as far as a finding alone says. */
function identityOf({ process }: Finding): { key: string; text: string } {
  const { uid, containerId } = process
  const program = containerId === "" ? rootOf<{ readonly exe: string }>(process, process.ancestors).exe : ""
  const of = containerId === "" ? programName(program) : `container ${containerId.slice(0, 12)}`
  return { key: JSON.stringify([uid, containerId, program]), text: `uid ${uid}${of === "" ? "" : `, ${of}`}` }
}

/** Keeps those with the highest scores, and the newest version of each. */
function noteCandidate(candidates: Map<string, Candidate>, candidate: Candidate, isOver: boolean): void {
  const { id } = candidate.finding
  if (isOver) return void candidates.delete(id)
  candidates.set(id, candidate)
  if (candidates.size > maxCandidates) candidates.delete(lowestOf(candidates).finding.id)
}

function lowestOf(candidates: ReadonlyMap<string, Candidate>): Candidate {
  return [...candidates.values()].reduce((low, other) => (other.finding.score <= low.finding.score ? other : low))
}

function sumOf({ minute, identity, classes, candidates }: Window): Alert | undefined {
  const [first, ...rest] = candidates.values()
  if (first === undefined) return undefined
  const gravest = rest.reduce((high, other) => (other.finding.score > high.finding.score ? other : high), first)
  const { finding, because } = gravest
  const count = [...classes.values()].reduce((sum, n) => sum + n, 0)
  const limited: Limited = {
    count,
    classes: Object.fromEntries([...classes].sort(([a], [b]) => (a < b ? -1 : 1))),
    identity,
    minute: formatTime(minute * minuteUs),
  }
  const json = findingJson(finding)
  const kinds = Object.entries(limited.classes).map(([name, n]) => `${n} ${name}`)
  const more =
    count === 1
      ? ""
      : ` And ${count - 1} more ${finding.severity} findings of ${identity} within a minute (in all ${kinds.join(", ")}), each on the page and in the store, none alerted by itself.`
  return {
    kind: "created",
    ...(because !== undefined && { because }),
    createdAt: formatTime(finding.detectedAtUs),
    finding: { ...json, summary: json.summary + more },
    limited,
  }
}
