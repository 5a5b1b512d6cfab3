import { isWithin, parseAddress, parsePrefix } from "../domain/address.js"

export interface ListenAddress {
  /** Empty for a unix socket. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Path of a unix socket, else empty. */
  readonly path: string
  /** Only this machine can reach it. */
  readonly loopback: boolean
}

const loopbacks = ["127.0.0.0/8", "::1"].flatMap((text) => parsePrefix(text) ?? [])

/** Reads "127.0.0.1:4410", "[::1]:4410", "localhost:4410" or "unix:/path"; undefined when it is none of them. */
export function parseListen(text: string): ListenAddress | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length)
    return path === "" ? undefined : { host: "", port: 0, path, loopback: true }
  }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ""
  const port = Number(match?.[3])
  if (match === null || port > 65_535) return undefined
  if (host === "localhost") return { host, port, path: "", loopback: true }
  const address = parseAddress(host)
  return address && { host, port, path: "", loopback: loopbacks.some((block) => isWithin(address, block)) }
}
