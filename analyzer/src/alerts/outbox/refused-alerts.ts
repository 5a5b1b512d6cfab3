import { appendFile, rename, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Alert } from "./alert.js"

/** Two files of this size at most. */
const fileBytes = 1024 * 1024

/** Alerts that a destination will never take, kept for a person to look at. */
export class RefusedAlerts {
  readonly #folder: string
  readonly #nowMs: () => number
  #count = 0

  constructor(folder: string, nowMs: () => number) {
    this.#folder = folder
    this.#nowMs = nowMs
  }

  get count(): number {
    return this.#count
  }

  async add(alert: Alert, reason: string): Promise<void> {
    this.#count += 1
    const path = join(this.#folder, "refused.jsonl")
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    )
    if (size > fileBytes) await rename(path, join(this.#folder, "refused.old.jsonl"))
    const at = new Date(this.#nowMs()).toISOString()
    await appendFile(path, `${JSON.stringify({ at, reason, ...alert })}\n`, { mode: 0o600 })
  }
}
