/** The two halves of a 64-bit word, as the generated code gives them. */
export interface Uint64Halves {
  readonly high: number
  readonly low: number
}

/** A 64-bit word as a double: exact up to 2^53. */
export function toNumber(word: Uint64Halves): number {
  return (word.high >>> 0) * 2 ** 32 + (word.low >>> 0)
}

/** A 64-bit word as 16 hex digits. */
export function toHex(word: Uint64Halves): string {
  return (word.high >>> 0).toString(16).padStart(8, "0") + (word.low >>> 0).toString(16).padStart(8, "0")
}

/** A 64-bit word as unsigned decimal text, exact for every value. */
export function toDecimal(word: Uint64Halves): string {
  const number = toNumber(word)
  if (number <= Number.MAX_SAFE_INTEGER) return String(number)
  return ((BigInt(word.high >>> 0) << 32n) | BigInt(word.low >>> 0)).toString()
}
