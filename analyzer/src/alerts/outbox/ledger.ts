import type { Severity } from "../../domain/severity.js"

/** What consumers know of a finding that is open for them. */
export interface OpenAlert {
  /** The version with which it first left. */
  readonly version: number
  /** When that version was decided: RFC 3339. */
  readonly createdAt: string
  /** Of the version that left last; missing in ledgers that an earlier release wrote. */
  readonly severity?: Severity
}

/** Findings remembered as open: some 8 MB. Beyond it the longest open one is forgotten, and its next version is new again. */
const maxOpen = 50_000

/** Findings that have left and are not over for their readers. */
export class Ledger {
  readonly #open: Map<string, OpenAlert>

  constructor(entries: Iterable<readonly [string, OpenAlert]> = []) {
    this.#open = new Map(entries)
  }

  openAlert(id: string): OpenAlert | undefined {
    return this.#open.get(id)
  }

  /** Undefined takes the finding off. */
  note(id: string, openAlert: OpenAlert | undefined): void {
    if (openAlert === undefined) this.#open.delete(id)
    else {
      this.#open.set(id, openAlert)
      if (this.#open.size > maxOpen) for (const oldest of this.#open.keys()) return void this.#open.delete(oldest)
    }
  }

  entries(): readonly (readonly [string, OpenAlert])[] {
    return [...this.#open]
  }
}
