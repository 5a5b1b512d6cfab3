import { join } from "node:path"
import type { Severity } from "../../domain/severity.js"
import { readJson, replaceFile } from "./durable-file.js"
import type { OpenAlert } from "./ledger.js"

/** Number of the first record of each lane that a snapshot does not hold. */
export type LaneSeqs = Readonly<Partial<Record<Severity, number>>>

/** What the readers of a destination knew when so much of each lane was noted. */
export interface LedgerSnapshot {
  readonly open: readonly (readonly [string, OpenAlert])[]
  readonly seqs: LaneSeqs
  /** The same of an earlier release, which had one lane. */
  readonly oldSeq: number
}

/** The files beside the lanes of one destination: what its readers know, and how far each finding has left. */
export class Snapshots {
  readonly #ledger: string
  readonly #progress: string
  #lastProgress = "[]"

  constructor(folder: string) {
    this.#ledger = join(folder, "ledger.json")
    this.#progress = join(folder, "progress.json")
  }

  async ledger(): Promise<LedgerSnapshot> {
    const kept = await readJson(this.#ledger)
    const { seq, lanes, open } = (typeof kept === "object" && kept !== null ? kept : {}) as {
      readonly [name in "seq" | "lanes" | "open"]?: unknown
    }
    if (!Array.isArray(open)) return { open: [], seqs: {}, oldSeq: 0 }
    return {
      open: open as LedgerSnapshot["open"],
      seqs: typeof lanes === "object" && lanes !== null ? lanes : {},
      oldSeq: typeof seq === "number" ? seq : 0,
    }
  }

  progress(): Promise<unknown> {
    return readJson(this.#progress)
  }

  saveLedger(lanes: LaneSeqs, open: unknown): Promise<void> {
    return replaceFile(this.#ledger, JSON.stringify({ lanes, open }), { sync: true })
  }

  /** Writes nothing where nothing has changed. */
  async saveProgress(kept: unknown): Promise<void> {
    const text = JSON.stringify(kept)
    if (text === this.#lastProgress) return
    await replaceFile(this.#progress, text, { sync: false })
    this.#lastProgress = text
  }
}
