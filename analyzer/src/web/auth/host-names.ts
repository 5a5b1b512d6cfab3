import { X509Certificate } from "node:crypto"
import { isIP } from "node:net"

/** Tells whether a Host header is one of ours. Anything else is a foreign name that was pointed at this address. */
export type IsOurHost = (header: string | undefined) => boolean

/**
 * Ours are addresses, "localhost", and the names in the certificate. A page of another site that a browser was led to may
 * resolve its own name to this address (DNS rebinding), but cannot choose an address as its name.
 */
export function ourHosts(certificate: Buffer | undefined): IsOurHost {
  const named = certificate === undefined ? undefined : new X509Certificate(certificate)
  return (header) => {
    const host = hostOf(header)
    if (host === undefined) return false
    return host === "localhost" || isIP(host) !== 0 || named?.checkHost(host) !== undefined
  }
}

/** "[::1]:4480" is "::1". */
function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::\d{1,5})?$/.exec(header ?? "") ?? []
  return (bracketed ?? plain)?.toLowerCase()
}

/** The Origin of a request that changes something is the page itself; programs send none. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, isTls: boolean): boolean {
  return origin === undefined || origin === `${isTls ? "https" : "http"}://${host ?? ""}`
}
