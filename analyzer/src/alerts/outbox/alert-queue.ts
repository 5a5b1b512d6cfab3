import { appendFile, rename, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Severity } from "../../domain/severity.js"
import type { Output } from "../../domain/output.js"
import type { Log } from "../../telemetry/log.js"
import type { Alert } from "./alert.js"
import { readJson, replaceFile } from "./durable-file.js"
import { Ledger } from "./ledger.js"
import type { OpenAlert } from "./ledger.js"
import { Outbox } from "./outbox.js"
import type { OutboxCounts, OutboxRecord } from "./outbox.js"
import { selectAlerts, openAlertAfter } from "./selection.js"

export interface AlertQueueOptions {
  readonly folder: string
  readonly limitBytes: number
  /** This severity and above is sent. */
  readonly minSeverity: Severity
  readonly nowMs: () => number
  readonly log: Log
}

export interface QueuedAlert {
  readonly alert: Alert
  readonly record: OutboxRecord
}

/** Alerts that a destination refused are kept for a person to look at: two files of this size at most. */
const refusedFileBytes = 1024 * 1024

/**
 * What leaves for one destination: its outbox, and the ledger of what its readers know. The ledger is a snapshot as of one
 * record, and every record after it; so it is as durable as the outbox is.
 */
export class AlertQueue {
  readonly #options: AlertQueueOptions
  readonly #outbox: Outbox
  readonly #ledger: Ledger
  /** Arrays of outputs that are durable: after another sink failed, the same array is written again. */
  readonly #kept = new WeakSet<readonly Output[]>()
  #refused = 0

  private constructor(options: AlertQueueOptions, outbox: Outbox, ledger: Ledger) {
    this.#options = options
    this.#outbox = outbox
    this.#ledger = ledger
  }

  static async open(options: AlertQueueOptions): Promise<AlertQueue> {
    const { folder } = options
    const { seq, open } = snapshotIn(await readJson(ledgerOf(folder)))
    const ledger = new Ledger(open)
    const beforeRoll = (next: number) =>
      replaceFile(ledgerOf(folder), JSON.stringify({ seq: next, open: ledger.entries() }), { sync: true })
    const outbox = await Outbox.open({ ...options, beforeRoll })
    for (const payload of await outbox.recordsFrom(seq)) note(ledger, parse(payload))
    return new AlertQueue(options, outbox, ledger)
  }

  get counts(): OutboxCounts & { readonly refused: number } {
    return { ...this.#outbox.counts, refused: this.#refused }
  }

  /** Resolves once every alert in the outputs is on disk. */
  async write(outputs: readonly Output[]): Promise<void> {
    if (this.#kept.has(outputs)) return
    const findings = outputs.flatMap((output) => output.findings)
    const alerts = selectAlerts(findings, this.#ledger, this.#options.minSeverity)
    if (alerts.length > 0) {
      let noted = 0
      await this.#outbox.append(
        alerts.map((alert) => Buffer.from(JSON.stringify(alert))),
        (count) => {
          for (const alert of alerts.slice(noted, noted + count)) note(this.#ledger, alert)
          noted += count
        },
      )
    }
    this.#kept.add(outputs)
  }

  async peek(records: number, bytes: number): Promise<readonly QueuedAlert[]> {
    const found = await this.#outbox.peek(records, bytes)
    return found.map((record) => ({ record, alert: parse(record.payload) }))
  }

  acknowledge({ record }: QueuedAlert): Promise<void> {
    return this.#outbox.acknowledge(record)
  }

  /** Puts an alert aside that its destination will never take. */
  async refuse(alert: Alert, reason: string): Promise<void> {
    this.#refused += 1
    const path = join(this.#options.folder, "refused.jsonl")
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    )
    if (size > refusedFileBytes) await rename(path, join(this.#options.folder, "refused.old.jsonl"))
    const at = new Date(this.#options.nowMs()).toISOString()
    await appendFile(path, `${JSON.stringify({ at, reason, ...alert })}\n`, { mode: 0o600 })
  }

  /** Resolves when something waits, or at `wake`. */
  more(): Promise<void> {
    return this.#outbox.more()
  }

  wake(): void {
    this.#outbox.wake()
  }

  close(): Promise<void> {
    return this.#outbox.close()
  }
}

function note(ledger: Ledger, alert: Alert): void {
  ledger.note(alert.finding.id, openAlertAfter(alert, ledger.openAlert(alert.finding.id)))
}

function parse(payload: Buffer): Alert {
  return JSON.parse(payload.toString("utf8")) as Alert
}

function ledgerOf(folder: string): string {
  return join(folder, "ledger.json")
}

function snapshotIn(kept: unknown): { readonly seq: number; readonly open: readonly (readonly [string, OpenAlert])[] } {
  const { seq, open } = (typeof kept === "object" && kept !== null ? kept : {}) as { seq?: unknown; open?: unknown }
  return typeof seq === "number" && Array.isArray(open)
    ? { seq, open: open as readonly (readonly [string, OpenAlert])[] }
    : { seq: 0, open: [] }
}
