import { join } from "node:path"
import { severities } from "../../domain/severity.js"
import type { Severity } from "../../domain/severity.js"
import type { Log } from "../../telemetry/log.js"
import { Outbox } from "./outbox.js"
import type { OutboxRecord } from "./outbox.js"
import { headerBytes } from "./record.js"

export interface LaneEntry {
  readonly lane: Severity
  readonly payload: Buffer
}

export type ShedCounts = Readonly<Record<Severity, number>>

export interface LanesCounts {
  /** Alerts that wait, and what they take on disk. */
  readonly depth: number
  readonly bytes: number
  readonly limitBytes: number
  /** When the oldest that waits was appended: milliseconds since the epoch. */
  readonly oldestMs: number | undefined
  /** Dropped for lack of room, by severity; unreadable after a crash or on a damaged disk. Since the process started. */
  readonly shed: ShedCounts
  readonly torn: number
}

export interface LanesOptions {
  readonly folder: string
  /** Of all lanes together. */
  readonly limitBytes: number
  readonly nowMs: () => number
  readonly log: Log
  /** Called before a segment of a lane ends; earlier ones may be gone afterwards. */
  readonly beforeRoll: () => Promise<void>
}

/** The gravest first: the order in which lanes are read. */
export const laneOrder: readonly Severity[] = [...severities].reverse()

/** A segment is what is dropped at once, and what is read again at a start. */
const maxSegmentBytes = 8 * 1024 * 1024
const minSegmentBytes = 64 * 1024
/** Segments that fill the room: no lane holds more of it than this part without being dropped in pieces. */
const segmentsInRoom = 16

/**
 * What waits for one destination, an outbox for each severity. The gravest are read first, however many others came before.
 * They share their room: when it is full the oldest of the lowest severity are dropped, and nothing is while something less
 * grave waits. Calls come one at a time.
 */
export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes: ReadonlyMap<Severity, Outbox>
  /** What came when all else that waits was graver. */
  readonly #turnedAway = new Map<Severity, number>()
  #whenMore: (() => void)[] = []

  private constructor(options: LanesOptions, lanes: ReadonlyMap<Severity, Outbox>) {
    this.#options = options
    this.#lanes = lanes
  }

  /** Opens or makes the folders. Rejects when one cannot be read or written. */
  static async open(options: LanesOptions): Promise<Lanes> {
    const lanes = new Map<Severity, Outbox>()
    for (const lane of laneOrder) lanes.set(lane, await Outbox.open(laneOptions(options, join(options.folder, lane))))
    return new Lanes(options, lanes)
  }

  get counts(): LanesCounts {
    const all = [...this.#lanes.values()].map(({ counts }) => counts)
    const sum = (of: (counts: (typeof all)[number]) => number) => all.reduce((total, counts) => total + of(counts), 0)
    const oldest = all.flatMap(({ oldestMs }) => oldestMs ?? [])
    return {
      depth: sum(({ depth }) => depth),
      bytes: sum(({ bytes }) => bytes),
      limitBytes: this.#options.limitBytes,
      oldestMs: oldest.length === 0 ? undefined : Math.min(...oldest),
      shed: Object.fromEntries(severities.map((lane) => [lane, this.#shedOf(lane)])) as Record<Severity, number>,
      torn: sum(({ torn }) => torn),
    }
  }

  /** Number of the next record of each lane. */
  get ends(): Readonly<Record<Severity, number>> {
    return Object.fromEntries([...this.#lanes].map(([lane, outbox]) => [lane, outbox.nextSeq])) as Record<
      Severity,
      number
    >
  }

  /**
   * Appends the gravest first, and calls back for each entry that is durable. What finds no room among graver ones only is
   * dropped and counted, and `onShed` is called for it as for what is dropped to make room.
   */
  async append<Entry extends LaneEntry>(
    entries: readonly Entry[],
    onDurable: (entry: Entry) => void,
    onShed: (payloads: readonly Buffer[]) => void,
  ): Promise<void> {
    for (const lane of laneOrder) {
      for (const group of groupsOf(
        entries.filter((entry) => entry.lane === lane),
        segmentBytes(this.#options),
      )) {
        const payloads = group.map(({ payload }) => payload)
        if (await this.#makeRoom(lane, bytesOf(payloads), onShed)) {
          await this.#lane(lane).append(payloads)
          group.forEach(onDurable)
        } else this.#turnAway(lane, payloads, onShed)
      }
    }
    this.wake()
  }

  /** The oldest records of the gravest lane that has any, and about `bytes` at most. */
  async peek(
    records: number,
    bytes: number,
  ): Promise<{ lane: Severity; records: readonly OutboxRecord[] } | undefined> {
    for (const lane of laneOrder) {
      const found = await this.#lane(lane).peek(records, bytes)
      if (found.length > 0) return { lane, records: found }
    }
    return undefined
  }

  acknowledge(lane: Severity, record: OutboxRecord): Promise<void> {
    return this.#lane(lane).acknowledge(record)
  }

  /** Calls with every record that is still there, from the given number of its lane on or from the first that waits. */
  async readFrom(
    seqs: Readonly<Partial<Record<Severity, number>>>,
    use: (payload: Buffer, waits: boolean, isNew: boolean) => void,
  ): Promise<void> {
    for (const [lane, outbox] of this.#lanes) {
      const [from, waiting] = [seqs[lane] ?? 0, outbox.readSeq]
      await outbox.readFrom(Math.min(from, waiting), (payload, seq) => use(payload, seq >= waiting, seq >= from))
    }
  }

  /** Resolves when something waits, or at `wake`. */
  more(): Promise<void> {
    if (this.counts.depth > 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenMore.push(resolve)
    })
  }

  wake(): void {
    for (const resolve of this.#whenMore.splice(0)) resolve()
  }

  async close(): Promise<void> {
    for (const outbox of this.#lanes.values()) await outbox.close()
  }

  async #makeRoom(lane: Severity, bytes: number, onShed: (payloads: readonly Buffer[]) => void): Promise<boolean> {
    while (this.#diskBytes + bytes > this.#options.limitBytes) {
      const victim = this.#droppable(lane)
      if (victim === undefined) return false
      const payloads = await this.#lane(victim).shedOldest()
      if (payloads.length === 0) continue
      this.#warnOf(victim, payloads.length)
      onShed(payloads)
    }
    return true
  }

  /** A lane of which a segment may go for one of `lane`: one that has been read, else the lowest up to that lane. */
  #droppable(lane: Severity): Severity | undefined {
    const holding = severities.filter((name) => this.#lane(name).diskBytes > 0)
    const read = holding.find((name) => this.#lane(name).counts.depth === 0)
    return read ?? holding.find((name) => severities.indexOf(name) <= severities.indexOf(lane))
  }

  #turnAway(lane: Severity, payloads: readonly Buffer[], onShed: (payloads: readonly Buffer[]) => void): void {
    this.#turnedAway.set(lane, (this.#turnedAway.get(lane) ?? 0) + payloads.length)
    this.#warnOf(lane, payloads.length)
    onShed(payloads)
  }

  /** At each doubling of what was dropped. */
  #warnOf(lane: Severity, count: number): void {
    const shed = this.#shedOf(lane)
    if (Math.floor(Math.log2(shed)) === Math.floor(Math.log2(shed - count))) return
    const { folder, limitBytes, log } = this.#options
    log.warn(
      { outbox: folder, severity: lane, shed, limitBytes },
      "outbox full, dropped the oldest alerts of a severity",
    )
  }

  #shedOf(lane: Severity): number {
    return this.#lane(lane).counts.shed + (this.#turnedAway.get(lane) ?? 0)
  }

  get #diskBytes(): number {
    return [...this.#lanes.values()].reduce((sum, { diskBytes }) => sum + diskBytes, 0)
  }

  #lane(lane: Severity): Outbox {
    const outbox = this.#lanes.get(lane)
    if (outbox === undefined) throw new Error(`there is no lane ${lane}`)
    return outbox
  }
}

function segmentBytes({ limitBytes }: Pick<LanesOptions, "limitBytes">): number {
  return Math.min(maxSegmentBytes, Math.max(minSegmentBytes, Math.floor(limitBytes / segmentsInRoom)))
}

/** Options of an outbox in `folder`, with segments that fit the room of all. */
export function laneOptions(options: LanesOptions, folder: string) {
  const { nowMs, log, beforeRoll } = options
  return { folder, segmentBytes: segmentBytes(options), nowMs, log, beforeRoll }
}

function bytesOf(payloads: readonly Buffer[]): number {
  return payloads.reduce((sum, { length }) => sum + headerBytes + length, 0)
}

function groupsOf<Entry extends LaneEntry>(entries: readonly Entry[], maxBytes: number): readonly (readonly Entry[])[] {
  const groups: Entry[][] = []
  let bytes = 0
  for (const entry of entries) {
    const length = headerBytes + entry.payload.length
    const last = groups.at(-1)
    if (last !== undefined && bytes + length <= maxBytes) {
      last.push(entry)
      bytes += length
    } else {
      groups.push([entry])
      bytes = length
    }
  }
  return groups
}
