import { isWithin, parseAddress, parsePrefix } from "../domain/address.js"
import type { Prefix } from "../domain/address.js"
import type { Endpoint } from "../domain/identity.js"

export interface Destination {
  readonly block: Prefix
  /** Undefined for any port. */
  readonly port: number | undefined
}

/** Reads "203.0.113.0/24", "203.0.113.9:443", "2001:db8::1", "[2001:db8::1]:443"; undefined when it is none of them. */
export function parseDestination(text: string): Destination | undefined {
  const bare = parsePrefix(text)
  if (bare !== undefined) return { block: bare, port: undefined }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const block = parsePrefix(bracketed ?? plain ?? "")
  if (block === undefined) return undefined
  const port = digits === undefined ? undefined : Number(digits)
  return port !== undefined && (port < 1 || port > 65_535) ? undefined : { block, port }
}

export function isAt({ address, port }: Endpoint, destination: Destination): boolean {
  const bytes = parseAddress(address)
  if (bytes === undefined || !isWithin(bytes, destination.block)) return false
  return destination.port === undefined || destination.port === port
}
