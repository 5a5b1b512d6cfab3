/** Where words say that a connection will lead to. */
import type { Connection } from "../../domain/connection.js"
import { formatAddress, parseAddress } from "../../domain/address.js"

/** What words leave open, by a name or a variable, is undefined and agrees with any. */
export interface Place {
  readonly address: string | undefined
  readonly port: number | undefined
}

export const anyPlace: Place = { address: undefined, port: undefined }

export function placeOf(host: string, port: string): Place {
  const bytes = parseAddress(host.replace(/^\[(.*)\]$/, "$1"))
  const number = /^\d{1,5}$/.test(port) ? Number(port) : undefined
  return { address: bytes && formatAddress(bytes), port: number }
}

/** "host:port", "[2001:db8::1]:443", with or without a scheme; what stands behind the port does not count. */
export function placeOfPair(text: string): Place {
  const match = /^(?:[a-z][a-z0-9+]*:(?:\/\/)?)?(\[[0-9a-f:.]+\]|[^:/,\s]+):(\d{1,5})(?![\d])/i.exec(text)
  return match === null ? anyPlace : placeOf(match[1] ?? "", match[2] ?? "")
}

export function isAt({ remote }: Pick<Connection, "remote">, { address, port }: Place): boolean {
  return (address === undefined || address === remote.address) && (port === undefined || port === remote.port)
}
