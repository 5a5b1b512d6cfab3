/** "203.0.113.9:443", "[2001:db8::1]:443": IPv6 addresses stand in brackets (RFC 3986). */
export function endpoint({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
}
