import type { Alert } from "./alert.js"

/** How far the readers of one finding are while more of it waits. */
export interface Progress {
  /** It has been created for them, and is not over. */
  readonly isOpen: boolean
  /** The highest version that left since something waits; 0 for none. */
  readonly sent: number
}

/** What becomes of an alert that is about to leave. */
export interface Departure {
  /** As it leaves; undefined when it is superseded. */
  readonly alert: Alert | undefined
  readonly progress: Progress
}

interface Waiting {
  /** Versions, in the order in which they were appended. */
  readonly versions: number[]
  progress: Progress
  /** What waits does not show it: its creation was dropped for lack of room. */
  isCreationLost: boolean
}

/** What is kept of it in a file: what cannot be concluded from what waits. */
export type KeptProgress = readonly [id: string, isOpen: boolean, sent: number]

/**
 * A graver version leaves ahead of what waits of its finding in lower lanes. So that readers see versions ascend, and a
 * creation before anything else: what is older than a version that left is superseded; what leaves first is the creation,
 * whatever it was when it was selected; and a closing of what was never created does not leave. Holds only findings of which
 * something waits, so that it is bounded as the outbox is.
 */
export class Progresses {
  readonly #findings = new Map<string, Waiting>()
  /** Ids of those that are kept in a file. */
  readonly #exceptions = new Set<string>()

  /** Calls go in the order of versions. */
  add({ kind, finding: { id, version } }: Alert): void {
    const waiting = this.#findings.get(id)
    if (waiting === undefined) {
      this.#findings.set(id, { versions: [version], progress: startOf(kind), isCreationLost: false })
      return
    }
    waiting.versions.push(version)
    this.#note(id, waiting)
  }

  of({ kind, finding: { id } }: Alert): Progress {
    return this.#findings.get(id)?.progress ?? startOf(kind)
  }

  /** It left, or was superseded. */
  leave({ finding: { id, version } }: Alert, progress: Progress): void {
    const waiting = this.#findings.get(id)
    if (waiting === undefined) return
    waiting.progress = progress
    this.#take(id, version, waiting)
  }

  /** It was dropped unsent. True when its readers know nothing of its finding, and nothing else of it waits. */
  lose({ kind, finding: { id, version } }: Alert): boolean {
    const waiting = this.#findings.get(id)
    if (waiting === undefined) return false
    if (kind === "created") waiting.isCreationLost = true
    this.#take(id, version, waiting)
    return waiting.versions.length === 0 && !waiting.progress.isOpen
  }

  /** Nothing waits: what is still here was lost by damage. */
  clear(): void {
    this.#findings.clear()
    this.#exceptions.clear()
  }

  kept(): readonly KeptProgress[] {
    return [...this.#exceptions].map((id) => {
      const { isOpen, sent } = this.#findings.get(id)?.progress ?? { isOpen: false, sent: 0 }
      return [id, isOpen, sent]
    })
  }

  restore(kept: unknown): void {
    if (!Array.isArray(kept)) return
    for (const [id, isOpen, sent] of kept as readonly KeptProgress[]) {
      const waiting = this.#findings.get(id)
      if (waiting === undefined) continue
      waiting.progress = { isOpen, sent }
      waiting.isCreationLost = !isOpen
      this.#note(id, waiting)
    }
  }

  #take(id: string, version: number, waiting: Waiting): void {
    const index = waiting.versions.indexOf(version)
    if (index >= 0) waiting.versions.splice(index, 1)
    if (waiting.versions.length === 0) this.#findings.delete(id)
    this.#note(id, waiting)
  }

  #note(id: string, { versions, progress, isCreationLost }: Waiting): void {
    const isException = versions.length > 0 && (isCreationLost || versions.some((version) => version <= progress.sent))
    if (isException) this.#exceptions.add(id)
    else this.#exceptions.delete(id)
  }
}

/** What selection takes its readers to know before the first alert that waits. */
function startOf(kind: Alert["kind"]): Progress {
  return { isOpen: kind !== "created", sent: 0 }
}

export function departureOf(alert: Alert, progress: Progress): Departure {
  const { finding, kind, because } = alert
  const isSuperseded = finding.version < progress.sent || (kind === "closed" && !progress.isOpen)
  if (isSuperseded) return { alert: undefined, progress }
  const isFirst = kind === "updated" && !progress.isOpen
  return {
    alert: isFirst ? { ...alert, kind: "created" } : alert,
    progress: { isOpen: because === undefined, sent: finding.version },
  }
}
