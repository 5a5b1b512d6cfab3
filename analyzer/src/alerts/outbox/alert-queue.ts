import type { Severity } from "../../domain/severity.js"
import type { Output } from "../../domain/output.js"
import type { Log } from "../../telemetry/log.js"
import type { Alert } from "./alert.js"
import { Ledger } from "./ledger.js"
import { AlertLimiter } from "./limiter.js"
import { laneOptions, Lanes } from "./lanes.js"
import type { LaneEntry, LanesCounts, LanesOptions } from "./lanes.js"
import { hasOldLayout, readOldLayout, removeOldLayout } from "./old-layout.js"
import type { OutboxRecord } from "./outbox.js"
import { departureOf, Progresses } from "./progress.js"
import type { Departure, Progress } from "./progress.js"
import { RefusedAlerts } from "./refused-alerts.js"
import { selectAlerts, openAlertAfter } from "./selection.js"
import { Snapshots } from "./snapshots.js"
import type { LaneSeqs, LedgerSnapshot } from "./snapshots.js"
import { Turns } from "./turns.js"

export interface AlertQueueOptions {
  readonly folder: string
  readonly limitBytes: number
  /** This severity and above is sent. */
  readonly minSeverity: Severity
  /** First alerts of one identity and severity; 0 for no limit. */
  readonly perIdentityPerMinute: number
  readonly nowMs: () => number
  readonly log: Log
}

export interface QueuedAlert {
  readonly alert: Alert
  readonly record: OutboxRecord
}

export interface AlertQueueCounts extends LanesCounts {
  readonly refused: number
  /** Versions that did not leave because a graver, newer one had. */
  readonly superseded: number
  /** Findings that left in the sum of a minute only. */
  readonly limited: number
}

interface Entry extends LaneEntry {
  readonly alert: Alert
}

interface Peeked {
  readonly lane: Severity
  readonly departures: readonly (Departure & { readonly record: OutboxRecord; readonly waiting: Alert })[]
}

/**
 * What leaves for one destination: its lanes, and the ledger of what its readers know. The ledger is a snapshot as of one
 * record of each lane, and every record after it; so it is as durable as the lanes are.
 */
export class AlertQueue {
  readonly #options: AlertQueueOptions
  readonly #lanes: Lanes
  readonly #snapshots: Snapshots
  readonly #refused: RefusedAlerts
  readonly #ledger: Ledger
  readonly #progresses = new Progresses()
  readonly #limiter: AlertLimiter
  /** Arrays of outputs that are durable: after another sink failed, the same array is written again. */
  readonly #kept = new WeakSet<readonly Output[]>()
  /** Up to here the ledger holds what is in the lanes. */
  #noted: LaneSeqs
  #peeked: Peeked | undefined
  #superseded = 0
  /** Calls go one after the other: what waits, and what readers know, must agree. */
  readonly #turns = new Turns()

  private constructor(options: AlertQueueOptions, lanes: Lanes, snapshots: Snapshots, { open, seqs }: LedgerSnapshot) {
    this.#options = options
    this.#lanes = lanes
    this.#snapshots = snapshots
    this.#refused = new RefusedAlerts(options.folder, options.nowMs)
    this.#ledger = new Ledger(open)
    this.#noted = seqs
    this.#limiter = new AlertLimiter(options.perIdentityPerMinute, options.nowMs)
  }

  static async open(options: AlertQueueOptions): Promise<AlertQueue> {
    const { folder } = options
    const snapshots = new Snapshots(folder)
    const ledger = await snapshots.ledger()
    const beforeRoll = () => queue.#saveLedger()
    const lanes = await Lanes.open({ ...options, beforeRoll })
    const queue = new AlertQueue(options, lanes, snapshots, ledger)
    await queue.#restore()
    if (await hasOldLayout(folder)) await queue.#takeOver({ ...options, beforeRoll }, ledger.oldSeq)
    return queue
  }

  get counts(): AlertQueueCounts {
    return {
      ...this.#lanes.counts,
      refused: this.#refused.count,
      superseded: this.#superseded,
      limited: this.#limiter.limited,
    }
  }

  /** Resolves once every alert in the outputs is on disk. */
  write(outputs: readonly Output[]): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#kept.has(outputs)) return
      const findings = outputs.flatMap((output) => output.findings)
      const selected = selectAlerts(findings, this.#ledger, this.#options.minSeverity, this.#limiter)
      if (selected.length > 0) await this.#append(selected.map(({ alert, lane }) => entryOf(alert, lane)))
      for (const { host, report } of outputs) if (report !== undefined) this.#limiter.advance(host.hostId, report.atUs)
      await this.#sum()
      this.#kept.add(outputs)
    })
  }

  /** Sums what was held back in minutes that are over by the clock; to be called from time to time. */
  sum(): Promise<void> {
    return this.#turns.run(() => this.#sum())
  }

  /** What is to leave next, of one severity. */
  peek(records: number, bytes: number): Promise<readonly QueuedAlert[]> {
    return this.#turns.run(async () => {
      for (;;) {
        const found = await this.#lanes.peek(records, bytes)
        if (found === undefined) {
          this.#progresses.clear()
          return []
        }
        this.#peeked = { lane: found.lane, departures: this.#departures(found.records) }
        const leaving = this.#peeked.departures.flatMap(({ alert, record }) => (alert ? [{ alert, record }] : []))
        if (leaving.length > 0) return leaving
        await this.#settle(this.#peeked, found.records.length)
      }
    })
  }

  /** It and all before it of the last `peek` need not be sent again. */
  acknowledge({ record }: QueuedAlert): Promise<void> {
    return this.#turns.run(async () => {
      const peeked = this.#peeked
      const index = peeked?.departures.findIndex((departure) => departure.record === record) ?? -1
      if (peeked === undefined || index < 0) return
      const next = peeked.departures.findIndex(({ alert }, i) => i > index && alert !== undefined)
      await this.#settle(peeked, next < 0 ? peeked.departures.length : next)
    })
  }

  /** Puts an alert aside that its destination will never take. */
  refuse(alert: Alert, reason: string): Promise<void> {
    return this.#refused.add(alert, reason)
  }

  /** Resolves when something waits, or at `wake`. */
  more(): Promise<void> {
    return this.#lanes.more()
  }

  wake(): void {
    this.#lanes.wake()
  }

  /** Nothing more is written: what was held back so far is summed, and leaves with the rest. */
  retire(): Promise<void> {
    return this.#turns.run(() => this.#sum(true))
  }

  close(): Promise<void> {
    return this.#turns.run(() => this.#lanes.close())
  }

  async #sum(isEnd = false): Promise<void> {
    const summaries = this.#limiter.summaries(isEnd)
    if (summaries.length === 0) return
    await this.#append(summaries.map(({ alert }) => entryOf(alert, alert.finding.severity)))
    this.#limiter.done(summaries)
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    const decided = new Set<Entry>()
    const shed: Buffer[] = []
    try {
      await this.#lanes.append(
        entries,
        (entry) => decided.add(entry),
        (payloads) => shed.push(...payloads),
      )
    } finally {
      for (const entry of entries) {
        if (!decided.has(entry)) continue
        note(this.#ledger, entry.alert)
        this.#progresses.add(entry.alert)
      }
      this.#noted = this.#lanes.ends
    }
    if (shed.length === 0) return
    for (const payload of shed) {
      const alert = parse(payload)
      if (this.#progresses.lose(alert)) this.#ledger.note(alert.finding.id, undefined)
    }
    await this.#saveProgress()
    await this.#saveLedger()
  }

  #departures(records: readonly OutboxRecord[]): Peeked["departures"] {
    const ahead = new Map<string, Progress>()
    return records.map((record) => {
      const waiting = parse(record.payload)
      const { id } = waiting.finding
      const departure = departureOf(waiting, ahead.get(id) ?? this.#progresses.of(waiting))
      ahead.set(id, departure.progress)
      return { ...departure, record, waiting }
    })
  }

  /** The first `count` of what was peeked have left, or are superseded. */
  async #settle({ lane, departures }: Peeked, count: number): Promise<void> {
    const settled = departures.slice(0, count)
    for (const { alert, waiting, progress } of settled) {
      if (alert === undefined) this.#superseded += 1
      this.#progresses.leave(waiting, progress)
    }
    this.#peeked = undefined
    const last = settled.at(-1)
    if (last === undefined) return
    await this.#saveProgress()
    await this.#lanes.acknowledge(lane, last.record)
  }

  /** What a run before this one knew. */
  async #restore(): Promise<void> {
    const found: { readonly alert: Alert; readonly waits: boolean; readonly isNew: boolean }[] = []
    await this.#lanes.readFrom(this.#noted, (payload, waits, isNew) => {
      const { finding, ...alert } = parse(payload)
      const { id, version, severity } = finding
      // The rest of it is not held for all at once.
      found.push({ alert: { ...alert, finding: { id, version, severity } as Alert["finding"] }, waits, isNew })
    })
    found.sort((a, b) => a.alert.finding.version - b.alert.finding.version)
    for (const { alert, waits, isNew } of found) {
      if (isNew) note(this.#ledger, alert)
      if (waits) this.#progresses.add(alert)
    }
    this.#noted = this.#lanes.ends
    this.#progresses.restore(await this.#snapshots.progress())
  }

  /** Moves what an earlier release, which had one lane, left in the folder itself. */
  async #takeOver(options: LanesOptions, seq: number): Promise<void> {
    const { folder, log } = this.#options
    let count = 0
    await readOldLayout(laneOptions(options, folder), seq, async (payloads, waits) => {
      const alerts = payloads.map(parse)
      if (!waits) for (const alert of alerts) note(this.#ledger, alert)
      else await this.#append(alerts.map((alert) => entryOf(alert, alert.finding.severity)))
      if (waits) count += alerts.length
    })
    await this.#saveLedger()
    await removeOldLayout(folder)
    log.info({ outbox: folder, alerts: count }, "outbox of an earlier release taken over")
  }

  #saveLedger(): Promise<void> {
    return this.#snapshots.saveLedger(this.#noted, this.#ledger.entries())
  }

  #saveProgress(): Promise<void> {
    return this.#snapshots.saveProgress(this.#progresses.kept())
  }
}

function entryOf(alert: Alert, lane: Severity): Entry {
  return { alert, lane, payload: Buffer.from(JSON.stringify(alert)) }
}

function note(ledger: Ledger, alert: Alert): void {
  ledger.note(alert.finding.id, openAlertAfter(alert, ledger.openAlert(alert.finding.id)))
}

function parse(payload: Buffer): Alert {
  return JSON.parse(payload.toString("utf8")) as Alert
}
