/** An address block in the 128-bit form: 10.0.0.0/8 is ::ffff:10.0.0.0 with prefix 104. */
export interface Prefix {
  /** 16 bytes, network order; bits behind the prefix are zero. */
  readonly address: Uint8Array
  /** 0..128. */
  readonly prefix: number
}

const addressBytes = 16

/** True for ::ffff:a.b.c.d (RFC 4291 2.5.5.2), the form in which IPv4 travels. */
function isMapped(bytes: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < 10; i++) if (bytes[offset + i] !== 0) return false
  return bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff
}

/**
 * Canonical text of the 16 bytes at `offset`: dotted for v4-mapped, RFC 5952 for the rest (lower case, no leading zeros,
 * the first longest run of two or more zero groups shortened). Bytes beyond the end count as zero.
 */
export function formatAddress(bytes: Uint8Array, offset = 0): string {
  const at = (i: number) => bytes[offset + i] ?? 0
  if (isMapped(bytes, offset)) return `${at(12)}.${at(13)}.${at(14)}.${at(15)}`
  const groups = Array.from({ length: 8 }, (_, i) => at(2 * i) * 256 + at(2 * i + 1))
  const run = longestZeroRun(groups)
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":")
  if (run.length < 2) return hex(groups)
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start }
  })
  return best
}

/** The 16 bytes of a textual address, IPv4 as v4-mapped; undefined when it is not one. Zones (%eth0) are refused. */
export function parseAddress(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(addressBytes)
  if (!text.includes(":")) {
    const quad = parseQuad(text)
    if (quad === undefined) return undefined
    bytes.set([0xff, 0xff, ...quad], 10)
    return bytes
  }
  const groups = parseGroups(text)
  if (groups === undefined) return undefined
  groups.forEach((group, i) => bytes.set([group >> 8, group & 0xff], 2 * i))
  return bytes
}

function parseQuad(text: string): number[] | undefined {
  const parts = text.split(".")
  // A leading zero is octal to some readers and decimal to others (RFC 6943 3.1.1): refused.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined
  const numbers = parts.map(Number)
  return numbers.every((number) => number <= 255) ? numbers : undefined
}

function parseGroups(text: string): number[] | undefined {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const parsed = halves.map((half, i) => parseHalf(half, i === halves.length - 1))
  const [head, tail] = parsed
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  if (tail === undefined) return head.length === 8 ? head : undefined
  const missing = 8 - head.length - tail.length
  return missing >= 1 ? [...head, ...Array.from({ length: missing }, () => 0), ...tail] : undefined
}

function parseHalf(half: string, last: boolean): number[] | undefined {
  if (half === "") return []
  const parts = half.split(":")
  const groups: number[] = []
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes(".")) {
      const quad = parseQuad(part)
      if (quad === undefined) return undefined
      const [a = 0, b = 0, c = 0, d = 0] = quad
      groups.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

/** Reads "10.0.0.0/8", "fd00::/8" or a bare address; bits behind the prefix are cleared. Undefined when it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const [addressText = "", lengthText, ...rest] = text.split("/")
  const address = parseAddress(addressText)
  if (address === undefined || rest.length > 0) return undefined
  const offset = addressText.includes(":") ? 0 : 96
  if (lengthText === undefined) return { address, prefix: 128 }
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined
  const prefix = Number(lengthText) + offset
  return prefix <= 128 ? { address: maskAddress(address, prefix), prefix } : undefined
}

/** `address` with the bits behind `prefix` cleared. */
function maskAddress(address: Uint8Array, prefix: number): Uint8Array {
  return address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i))) & 0xff)
}

/** Whether the 16 bytes of `address` lie in `block`. */
export function isWithin(address: Uint8Array, block: Prefix): boolean {
  const whole = block.prefix >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== block.address[i]) return false
  const rest = block.prefix & 7
  if (rest === 0) return true
  const mask = (0xff00 >> rest) & 0xff
  return ((address[whole] ?? 0) & mask) === ((block.address[whole] ?? 0) & mask)
}
