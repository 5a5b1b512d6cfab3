import { WireError } from "./wire-reader.js"

/** Where a packed column lies: [start, end) of `bytes`. */
export interface Column {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

export const emptyColumn: Column = { bytes: new Uint8Array(0), start: 0, end: 0 }

/** Number of varints in a column, without making them: each ends with the one byte below 0x80. */
export function countVarints({ bytes, start, end }: Column): number {
  let count = 0
  for (let i = start; i < end; i++) if ((bytes[i] ?? 0) < 0x80) count++
  if (end > start && (bytes[end - 1] ?? 0) >= 0x80) throw new WireError("a column ends within a varint")
  return count
}

/** Reads `into.length` varints as doubles: exact up to 2^53. The column must hold exactly that many. */
export function readVarints({ bytes, start, end }: Column, into: Float64Array): void {
  let position = start
  for (let i = 0; i < into.length; i++) {
    let byte = bytes[position++] ?? 0
    let value = byte & 0x7f
    let scale = 128
    while (byte >= 0x80) {
      if (position >= end || scale > 2 ** 63) throw new WireError("a column holds a varint of more than 10 bytes")
      byte = bytes[position++] ?? 0
      value += (byte & 0x7f) * scale
      scale *= 128
    }
    into[i] = value
  }
  if (position !== end) throw new WireError("a column holds more values than its neighbours")
}

/** Undoes zigzag (sint64) in place; exact for magnitudes up to 2^52. */
export function unzigzag(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    values[i] = value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

/** A packed fixed64 column as 16 hex digits each, most significant first. */
export function readHexWords({ bytes, start, end }: Column): string[] {
  // The wire is little endian: turned around once for the whole column, in a copy.
  const words = Buffer.from(bytes.subarray(start, end)).swap64()
  return Array.from({ length: words.length / 8 }, (_, i) => words.toString("hex", 8 * i, 8 * i + 8))
}
