import type { Endpoint } from "../domain/identity.js"

/** "203.0.113.9:443" or "[2001:db8::1]:443" (RFC 3986 3.2.2); of ICMP, which has no ports, the address alone. */
export function endpointText({ address, port }: Endpoint): string {
  if (port === 0) return address
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
}
