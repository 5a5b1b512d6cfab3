import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeSync } from "node:fs"
import { join } from "node:path"
import { WireReader } from "../decode/wire-reader.js"
import type { Span } from "../decode/wire-reader.js"

/**
 * Keeps what collectors send: one file for each stream, of CollectorMessages each after its length as a varint (the
 * delimited form that every protobuf library reads). Names sort by the time at which the stream began.
 */
export class Recorder {
  readonly #folder: string
  readonly #nowUs: () => number
  readonly #files = new Map<object, number>()
  #opened = 0

  constructor(folder: string, nowUs: () => number) {
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.#nowUs = nowUs
  }

  append(stream: object, bytes: Uint8Array): void {
    const file = this.#files.get(stream) ?? this.#open(stream)
    writeSync(file, Buffer.concat([lengthPrefix(bytes.length), bytes]))
  }

  end(stream: object): void {
    const file = this.#files.get(stream)
    if (file !== undefined) closeSync(file)
    this.#files.delete(stream)
  }

  close(): void {
    for (const stream of [...this.#files.keys()]) this.end(stream)
  }

  #open(stream: object): number {
    this.#opened += 1
    const began = String(this.#nowUs()).padStart(16, "0")
    const file = openSync(
      join(this.#folder, `${began}-${String(this.#opened).padStart(6, "0")}.collector`),
      "wx",
      0o600,
    )
    this.#files.set(stream, file)
    return file
  }
}

function lengthPrefix(length: number): Buffer {
  const bytes: number[] = []
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) return Buffer.from(bytes)
  }
}

/** Paths of the recorded streams of a folder, oldest first. */
export function recordedStreams(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".collector"))
  return names.sort().map((name) => join(folder, name))
}

/** Messages of one recorded stream. A last message that was cut off, by a kill, is left out. */
export function* recordedMessages(path: string): Generator<Uint8Array> {
  const bytes = readFileSync(path)
  const reader = new WireReader(bytes)
  while (reader.position < bytes.length) {
    const span = nextMessage(reader)
    if (span === undefined) return
    yield bytes.subarray(span.start, span.end)
  }
}

function nextMessage(reader: WireReader): Span | undefined {
  try {
    return reader.delimited()
  } catch {
    return undefined
  }
}
