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
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const words: string[] = []
  for (let at = 0; at < view.byteLength; at += 8)
    words.push(hexWord(view.getUint32(at + 4, true), view.getUint32(at, true)))
  return words
}

const digits = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0))
const digit = (word: number, shift: number): number => digits[(word >>> shift) & 15] ?? 0

/** One call makes one flat string: pieces of a longer text would keep all of that text alive. */
function hexWord(high: number, low: number): string {
  return String.fromCharCode(
    digit(high, 28), digit(high, 24), digit(high, 20), digit(high, 16), digit(high, 12), digit(high, 8), digit(high, 4), digit(high, 0),
    digit(low, 28), digit(low, 24), digit(low, 20), digit(low, 16), digit(low, 12), digit(low, 8), digit(low, 4), digit(low, 0),
  ) // prettier-ignore
}
