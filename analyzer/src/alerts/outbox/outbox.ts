import { mkdir } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { join } from "node:path"
import { messageOf } from "../../errors.js"
import type { Log } from "../../telemetry/log.js"
import { readJson, replaceFile } from "./durable-file.js"
import { decodeRecord, encodeRecord, headerBytes, lengthAt, momentAt } from "./record.js"
import { createSegment, openSegment, readBytes, readSegments, removeSegment } from "./segments.js"
import type { Segment } from "./segments.js"

/** Where a record stands; the reader's place is where the next one to send begins. */
interface Place {
  readonly seq: number
  /** Number of the first record of its segment, and the offset in its file. */
  readonly segment: number
  readonly offset: number
}

export interface OutboxRecord {
  readonly payload: Buffer
  readonly next: Place
}

export interface OutboxCounts {
  /** Records that wait, and what they take on disk. */
  readonly depth: number
  readonly bytes: number
  readonly limitBytes: number
  /** When the oldest that waits was appended: milliseconds since the epoch. */
  readonly oldestMs: number | undefined
  /** Dropped for lack of room; unreadable after a crash or on a damaged disk. Since the process started. */
  readonly shed: number
  readonly torn: number
}

export interface OutboxOptions {
  readonly folder: string
  readonly limitBytes: number
  readonly nowMs: () => number
  readonly log: Log
  /** Called with the number of the next record before a segment ends; earlier segments may be gone afterwards. */
  readonly beforeRoll: (seq: number) => Promise<void>
}

/** Segments are an eighth of the room: what is dropped at once, and what is read again at a start. */
const segmentBytes = (limit: number) => Math.min(8 * 1024 * 1024, Math.max(64 * 1024, Math.floor(limit / 8)))

/**
 * Records on disk, in order, for one reader. An append is durable once it resolves. The oldest segment is dropped when
 * there is no room for a new record: alerts of a broker that stays unreachable must not fill the disk that the store is on.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #segments: Segment[]
  #place: Place
  #file: FileHandle | undefined
  #oldestMs: number | undefined
  #shed = 0
  #torn: number
  /** What touches files goes one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #whenMore: (() => void)[] = []

  private constructor(options: OutboxOptions, segments: Segment[], place: Place, torn: number) {
    this.#options = options
    this.#segments = segments
    this.#place = place
    this.#torn = torn
  }

  /** Opens or makes the folder. Rejects when it cannot be read or written. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    const { segments, torn } = await readSegments(options.folder)
    if (segments.length === 0) segments.push(await createSegment(options.folder, 0))
    const outbox = new Outbox(options, segments, placeIn(segments, await readJson(cursorOf(options.folder))), torn)
    if (torn > 0) options.log.warn({ outbox: options.folder }, "dropped a record that a crash had cut short")
    await outbox.#removeSent()
    await outbox.#refreshOldest()
    return outbox
  }

  get counts(): OutboxCounts {
    const { limitBytes } = this.#options
    const bytes = this.#totalBytes - this.#place.offset
    const [depth, oldestMs] = [this.#nextSeq - this.#place.seq, this.#oldestMs]
    return { depth, bytes, limitBytes, oldestMs, shed: this.#shed, torn: this.#torn }
  }

  /**
   * Appends in order, and calls back for each few that are durable. After a rejection those stay: appending all again repeats
   * them.
   */
  append(payloads: readonly Buffer[], onDurable: (count: number) => void = () => undefined): Promise<void> {
    return this.#exclusive(async () => {
      const atMs = this.#options.nowMs()
      const records = payloads.map((payload) => encodeRecord(atMs, payload))
      for (const group of groupsOf(records, segmentBytes(this.#options.limitBytes))) {
        await this.#write(group, atMs)
        onDurable(group.length)
      }
      this.wake()
    })
  }

  /** The oldest records, at least one when there is any, and about `bytes` at most. */
  peek(records: number, bytes: number): Promise<readonly OutboxRecord[]> {
    return this.#exclusive(async () => {
      for (;;) {
        const segment = this.#segments.find(({ first }) => first === this.#place.segment)
        if (segment === undefined) return []
        const found = await this.#readFrom(segment, records, bytes)
        if (found.length > 0) return found
        const next = this.#segments[this.#segments.indexOf(segment) + 1]
        const lost = segment.first + segment.count - this.#place.seq
        if (lost > 0) this.#loseUnreadable(segment, lost)
        if (next === undefined) {
          this.#place = { seq: this.#nextSeq, segment: segment.first, offset: segment.bytes }
          return []
        }
        this.#place = { seq: next.first, segment: next.first, offset: 0 }
      }
    })
  }

  /** The record and all before it need not be sent again. */
  acknowledge({ next }: OutboxRecord): Promise<void> {
    return this.#exclusive(async () => {
      // What was under way when it was dropped has been counted as lost, and the reader stands behind it.
      if (next.seq <= this.#place.seq) return
      this.#place = next
      await replaceFile(cursorOf(this.#options.folder), JSON.stringify(next), { sync: false })
      await this.#removeSent()
      await this.#refreshOldest()
    })
  }

  /** Every record from `seq` on that is still there, sent or not. */
  recordsFrom(seq: number): Promise<readonly Buffer[]> {
    return this.#exclusive(async () => {
      const payloads: Buffer[] = []
      for (const segment of this.#segments.filter(({ first, count }) => first + count > seq)) {
        const bytes = await readBytes(segment, 0, segment.bytes)
        let [at, offset] = [segment.first, 0]
        for (let record = decodeRecord(bytes, 0); record !== undefined; record = decodeRecord(bytes, offset)) {
          if (at >= seq) payloads.push(record.payload)
          at += 1
          offset = record.end
        }
      }
      return payloads
    })
  }

  /** Resolves when something waits, or at `wake`. */
  more(): Promise<void> {
    if (this.#nextSeq > this.#place.seq) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenMore.push(resolve)
    })
  }

  wake(): void {
    for (const resolve of this.#whenMore.splice(0)) resolve()
  }

  close(): Promise<void> {
    return this.#exclusive(() => this.#closeFile())
  }

  get #nextSeq(): number {
    const last = this.#segments.at(-1)
    return last === undefined ? 0 : last.first + last.count
  }

  get #totalBytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  async #write(records: readonly Buffer[], atMs: number): Promise<void> {
    const { limitBytes } = this.#options
    const length = records.reduce((sum, record) => sum + record.length, 0)
    const last = this.#segments.at(-1)
    const isFull = last !== undefined && last.bytes > 0 && last.bytes + length > segmentBytes(limitBytes)
    const segment = last === undefined || isFull || this.#file === undefined ? await this.#activate(isFull) : last
    while (this.#totalBytes + length > limitBytes && this.#segments.length > 1) await this.#shedOldest()
    const file = this.#file
    if (file === undefined) throw new Error(`${segment.path} is not open`)
    try {
      await file.appendFile(Buffer.concat(records))
      await file.datasync()
    } catch (thrown) {
      // Half a batch may stand behind what is durable. A file whose sync failed is not trusted with more.
      await file.truncate(segment.bytes).catch(() => undefined)
      await this.#closeFile()
      throw thrown
    }
    if (this.#nextSeq === this.#place.seq) this.#oldestMs = atMs
    segment.count += records.length
    segment.bytes += length
  }

  /** Opens the last segment for writing, or begins another one. */
  async #activate(isFull: boolean): Promise<Segment> {
    await this.#closeFile()
    let last = this.#segments.at(-1)
    if (last === undefined || isFull) {
      await this.#options.beforeRoll(this.#nextSeq)
      last = await createSegment(this.#options.folder, this.#nextSeq)
      this.#segments.push(last)
    }
    this.#file = await openSegment(last)
    await this.#file.truncate(last.bytes)
    return last
  }

  async #shedOldest(): Promise<void> {
    const [oldest, next] = this.#segments
    if (oldest === undefined || next === undefined) return
    await removeSegment(oldest)
    this.#segments.shift()
    if (this.#place.seq >= next.first) return
    const before = this.#shed
    this.#shed += next.first - this.#place.seq
    this.#place = { seq: next.first, segment: next.first, offset: 0 }
    await this.#refreshOldest()
    if (Math.floor(Math.log2(this.#shed)) > Math.floor(Math.log2(before))) {
      const fields = { outbox: this.#options.folder, shed: this.#shed, limitBytes: this.#options.limitBytes }
      this.#options.log.warn(fields, "outbox full, dropped the oldest alerts")
    }
  }

  #loseUnreadable(segment: Segment, count: number): void {
    this.#torn += count
    this.#options.log.error({ segment: segment.path, count }, "alerts on disk unreadable, dropped")
  }

  async #readFrom(segment: Segment, records: number, bytes: number): Promise<readonly OutboxRecord[]> {
    const { seq, offset } = this.#place
    const end = segment.first + segment.count
    if (seq >= end) return []
    let chunk = await readBytes(segment, offset, Math.max(bytes, headerBytes))
    const first = lengthAt(chunk, 0)
    if (first !== undefined && headerBytes + first > chunk.length) {
      chunk = await readBytes(segment, offset, headerBytes + first)
    }
    const found: OutboxRecord[] = []
    let at = 0
    while (found.length < records && seq + found.length < end) {
      const record = decodeRecord(chunk, at)
      if (record === undefined) break
      at = record.end
      const next = { seq: seq + found.length + 1, segment: segment.first, offset: offset + at }
      found.push({ payload: record.payload, next })
    }
    return found
  }

  /** Segments whose records were all acknowledged; the last one stays. */
  async #removeSent(): Promise<void> {
    for (let [first, second] = this.#segments; first && second; [first, second] = this.#segments) {
      if (second.first > this.#place.seq) return
      if (this.#place.segment === first.first) this.#place = { seq: second.first, segment: second.first, offset: 0 }
      await removeSegment(first)
      this.#segments.shift()
    }
  }

  async #refreshOldest(): Promise<void> {
    if (this.#nextSeq === this.#place.seq) return void (this.#oldestMs = undefined)
    const segment = this.#segments.find(({ first }) => first === this.#place.segment)
    const header = segment && (await readBytes(segment, this.#place.offset, headerBytes))
    if (header?.length === headerBytes) this.#oldestMs = momentAt(header, 0)
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close().catch((thrown: unknown) => {
      this.#options.log.warn({ error: messageOf(thrown) }, "closing a segment of the outbox failed")
    })
  }

  #exclusive<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}

function cursorOf(folder: string): string {
  return join(folder, "cursor.json")
}

/** The reader's place as it was kept, when it still fits what is there; the oldest record otherwise. */
function placeIn(segments: readonly Segment[], kept: unknown): Place {
  const { seq, segment, offset } = (typeof kept === "object" && kept !== null ? kept : {}) as Partial<Place>
  const found = segments.find(({ first }) => first === segment)
  const oldest = segments[0]?.first ?? 0
  if (found === undefined || typeof seq !== "number" || typeof offset !== "number") {
    return { seq: oldest, segment: oldest, offset: 0 }
  }
  const end = found.first + found.count
  const isInside = seq >= found.first && seq <= end && offset >= 0 && offset <= found.bytes
  return isInside ? { seq, segment: found.first, offset } : { seq: end, segment: found.first, offset: found.bytes }
}

function groupsOf(records: readonly Buffer[], maxBytes: number): readonly (readonly Buffer[])[] {
  const groups: Buffer[][] = []
  let bytes = 0
  for (const record of records) {
    const last = groups.at(-1)
    if (last !== undefined && bytes + record.length <= maxBytes) last.push(record)
    else groups.push([record])
    bytes = last !== undefined && bytes + record.length <= maxBytes ? bytes + record.length : record.length
  }
  return groups
}
