import { sha1 } from "./sha1.js"

/** Name space of everything that Backflow names; it never changes, or old and new ids of one thing would differ. */
const nameSpace = "b5f7c1d2-3a64-5e0b-9c1f-7d20a8e4f613"

/** UUIDv5 (RFC 9562 5.5) of the parts, which are told apart whatever they contain. */
export function nameId(...parts: readonly string[]): string {
  return uuidV5(nameSpace, JSON.stringify(parts))
}

function uuidV5(space: string, name: string): string {
  const spaceBytes = Uint8Array.from(space.replaceAll("-", "").match(/../g) ?? [], (hex) => Number.parseInt(hex, 16))
  const bytes = sha1(Uint8Array.from([...spaceBytes, ...new TextEncoder().encode(name)])).subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}
