import { mkdir } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { messageOf } from "../../errors.js"
import type { Log } from "../../telemetry/log.js"
import { readPlace, savePlace } from "./place.js"
import type { Place } from "./place.js"
import { decodeRecord, encodeRecord, headerBytes, lengthAt, momentAt } from "./record.js"
import { createSegment, openSegment, readBytes, readSegments, removeSegment } from "./segments.js"
import type { Segment } from "./segments.js"
import { Turns } from "./turns.js"

export interface OutboxRecord {
  readonly payload: Buffer
  readonly next: Place
}

export interface OutboxCounts {
  /** Records that wait, and what they take on disk. */
  readonly depth: number
  readonly bytes: number
  /** When the oldest that waits was appended: milliseconds since the epoch. */
  readonly oldestMs: number | undefined
  /** Dropped for lack of room; unreadable after a crash or on a damaged disk. Since the process started. */
  readonly shed: number
  readonly torn: number
}

export interface OutboxOptions {
  readonly folder: string
  /** A segment ends before it grows beyond this: what is dropped at once, and what is read again at a start. */
  readonly segmentBytes: number
  readonly nowMs: () => number
  readonly log: Log
  /** Called with the number of the next record before a segment ends; earlier segments may be gone afterwards. */
  readonly beforeRoll: (seq: number) => Promise<void>
}

/** Records on disk, in order, for one reader. An append is durable once it resolves. How much may wait is its owner's to bound. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #segments: Segment[]
  #place: Place
  #file: FileHandle | undefined
  #oldestMs: number | undefined
  #shed = 0
  #torn: number
  readonly #turns = new Turns()

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
    const outbox = new Outbox(options, segments, await readPlace(options.folder, segments), torn)
    if (torn > 0) options.log.warn({ outbox: options.folder }, "dropped a record that a crash had cut short")
    await outbox.#removeSent()
    await outbox.#refreshOldest()
    return outbox
  }

  get counts(): OutboxCounts {
    const bytes = this.diskBytes - this.#place.offset
    const [depth, oldestMs] = [this.nextSeq - this.#place.seq, this.#oldestMs]
    return { depth, bytes, oldestMs, shed: this.#shed, torn: this.#torn }
  }

  /** Number of the next record to be appended. */
  get nextSeq(): number {
    const last = this.#segments.at(-1)
    return last === undefined ? 0 : last.first + last.count
  }

  /** Number of the next record to be read. */
  get readSeq(): number {
    return this.#place.seq
  }

  /** What it takes on disk, read or not. */
  get diskBytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /**
   * Appends in order, and calls back for each few that are durable. After a rejection those stay: appending all again repeats
   * them.
   */
  append(payloads: readonly Buffer[], onDurable: (count: number) => void = () => undefined): Promise<void> {
    return this.#turns.run(async () => {
      const atMs = this.#options.nowMs()
      const records = payloads.map((payload) => encodeRecord(atMs, payload))
      for (const group of groupsOf(records, this.#options.segmentBytes)) {
        await this.#write(group, atMs)
        onDurable(group.length)
      }
    })
  }

  /** The oldest records, at least one when there is any, and about `bytes` at most. */
  peek(records: number, bytes: number): Promise<readonly OutboxRecord[]> {
    return this.#turns.run(async () => {
      for (;;) {
        const segment = this.#segments.find(({ first }) => first === this.#place.segment)
        if (segment === undefined) return []
        const found = await this.#readFrom(segment, records, bytes)
        if (found.length > 0) return found
        const next = this.#segments[this.#segments.indexOf(segment) + 1]
        const lost = segment.first + segment.count - this.#place.seq
        if (lost > 0) this.#loseUnreadable(segment, lost)
        if (next === undefined) {
          this.#place = { seq: this.nextSeq, segment: segment.first, offset: segment.bytes }
          return []
        }
        this.#place = { seq: next.first, segment: next.first, offset: 0 }
      }
    })
  }

  /** The record and all before it need not be sent again. */
  acknowledge({ next }: OutboxRecord): Promise<void> {
    return this.#turns.run(async () => {
      // What was under way when it was dropped has been counted as lost, and the reader stands behind it.
      if (next.seq <= this.#place.seq) return
      this.#place = next
      await savePlace(this.#options.folder, next)
      await this.#removeSent()
      await this.#refreshOldest()
    })
  }

  /** Calls with every record from `seq` on that is still there, sent or not, one segment in memory at a time. */
  readFrom(seq: number, use: (payload: Buffer, seq: number) => void): Promise<void> {
    return this.#turns.run(async () => {
      for (const segment of this.#segments.filter(({ first, count }) => first + count > seq)) {
        const bytes = await readBytes(segment, 0, segment.bytes)
        let [at, offset] = [segment.first, 0]
        for (let record = decodeRecord(bytes, 0); record !== undefined; record = decodeRecord(bytes, offset)) {
          if (at >= seq) use(record.payload, at)
          at += 1
          offset = record.end
        }
      }
    })
  }

  /** Drops the oldest segment. What of it was still to be read is counted as shed, and returned as far as it is readable. */
  shedOldest(): Promise<readonly Buffer[]> {
    return this.#turns.run(async () => {
      if (this.#segments.length === 1) await this.#activate(true)
      const [oldest, next] = this.#segments
      if (oldest === undefined || next === undefined) return []
      const { seq, segment, offset } = this.#place
      const payloads: Buffer[] = []
      if (segment === oldest.first && seq < next.first) {
        const bytes = await readBytes(oldest, offset, oldest.bytes)
        for (let record = decodeRecord(bytes, 0); record; record = decodeRecord(bytes, record.end)) {
          payloads.push(record.payload)
        }
      }
      await removeSegment(oldest)
      this.#segments.shift()
      if (segment !== oldest.first) return payloads
      this.#shed += Math.max(0, next.first - seq)
      this.#place = { seq: next.first, segment: next.first, offset: 0 }
      await this.#refreshOldest()
      return payloads
    })
  }

  close(): Promise<void> {
    return this.#turns.run(() => this.#closeFile())
  }

  async #write(records: readonly Buffer[], atMs: number): Promise<void> {
    const length = records.reduce((sum, record) => sum + record.length, 0)
    const last = this.#segments.at(-1)
    const isFull = last !== undefined && last.bytes > 0 && last.bytes + length > this.#options.segmentBytes
    const segment = last === undefined || isFull || this.#file === undefined ? await this.#activate(isFull) : last
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
    if (this.nextSeq === this.#place.seq) this.#oldestMs = atMs
    segment.count += records.length
    segment.bytes += length
  }

  /** Opens the last segment for writing, or begins another one. */
  async #activate(isFull: boolean): Promise<Segment> {
    await this.#closeFile()
    let last = this.#segments.at(-1)
    if (last === undefined || isFull) {
      await this.#options.beforeRoll(this.nextSeq)
      last = await createSegment(this.#options.folder, this.nextSeq)
      this.#segments.push(last)
    }
    this.#file = await openSegment(last)
    await this.#file.truncate(last.bytes)
    return last
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
    if (this.nextSeq === this.#place.seq) return void (this.#oldestMs = undefined)
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
