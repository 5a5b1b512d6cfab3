import type { Endpoint } from "../../domain/identity.js"
import { parseAddress } from "../../domain/address.js"

/** What a 64-bit column takes at most; what is not a number counts as 0. */
export function unsigned(value: number): number {
  return value > 0 ? Math.min(Math.trunc(value), Number.MAX_SAFE_INTEGER) : 0
}

/** The engine refuses a whole insert of JSON for half of a surrogate pair, and argv is whatever a program says. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd")
}

/** A cookie's 16 hex digits as the decimal text that UInt64 columns take; 0 when there is none. */
export function cookieNumber(cookie: string): string {
  return /^[0-9a-f]{1,16}$/i.test(cookie) ? BigInt(`0x${cookie}`).toString() : "0"
}

/** An address that the engine can read. */
export function storedAddress(endpoint: Endpoint): string {
  return parseAddress(endpoint.address) === undefined ? "::" : endpoint.address
}
