import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import { defaultPageAddress } from "../../config/listen-schema.js"
import { parseListen } from "../../config/listen-address.js"
import type { ServedConfig } from "../../config/load.js"
import { AppError, messageOf } from "../../errors.js"
import { endpointText } from "../../text/endpoint.js"

/** Connections at once; a browser opens up to six. */
const maxConnections = 256
/** What a client may take to send its headers, and its whole request, in milliseconds. */
const headersMs = 10_000
const requestMs = 30_000
const headerBytes = 8_192

const remedies = {
  tls: "Name a certificate and its key, both PEM.",
  syntax: "Write 127.0.0.1:4480 or [::1]:4480.",
  address: "Choose another with page.address, or off.",
  file: "Name a file that this user may read.",
} as const

/** Why an address is not available, by the code of listen(2). */
const unavailable: Readonly<Record<string, string>> = {
  EADDRINUSE: "it is in use",
  EADDRNOTAVAIL: "it is not this machine's",
}

export interface HttpListener {
  /** "http://127.0.0.1:4480". */
  readonly address: string
  /** PEM; undefined without TLS. */
  readonly certificate: Buffer | undefined
  readonly isTls: boolean
  /** Takes no new connections, and ends idle ones. */
  refuse(): void
  /** Resolves when all is closed; requests under way are cut off after `graceMs`. */
  close(graceMs: number): Promise<void>
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Listens where the configuration says. Where nobody chose a port and the usual one is taken, on any free one of loopback.
 * Throws AppError "address-in-use", or "config" for certificates that cannot be used.
 */
export async function listenHttp({ address, tls }: ServedConfig, handler: Handler): Promise<HttpListener> {
  const options = {
    maxHeaderSize: headerBytes,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: 10_000,
  }
  const pem = tls && { cert: pemOf("page.tls.cert_file", tls.certFile), key: pemOf("page.tls.key_file", tls.keyFile) }
  const server =
    pem === undefined
      ? createServer(options, handler)
      : tlsServer({ ...options, ...pem, minVersion: "TLSv1.2" }, handler)
  server.maxConnections = maxConnections
  const wanted = address ?? defaultPageAddress
  try {
    await bind(server, wanted)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code !== "EADDRINUSE" || address !== undefined) throw cannotListen(wanted, thrown)
    await bind(server, "127.0.0.1:0")
  }
  // Such as too many open files at an accept: the connection is lost, not the analyzer.
  server.on("error", () => undefined)
  const where = server.address() as AddressInfo
  return {
    address: `${pem === undefined ? "http" : "https"}://${endpointText(where)}`,
    certificate: pem?.cert,
    isTls: pem !== undefined,
    refuse: () => {
      server.close()
      server.closeIdleConnections()
    },
    close: (graceMs) =>
      new Promise((resolve) => {
        const cutOff = setTimeout(() => server.closeAllConnections(), graceMs)
        server.close(() => {
          clearTimeout(cutOff)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

function tlsServer(options: Parameters<typeof createTlsServer>[0], handler: Handler): Server {
  try {
    return createTlsServer(options, handler)
  } catch (thrown) {
    throw new AppError("config", `page.tls is not usable: ${messageOf(thrown)}.`, remedies.tls, { cause: thrown })
  }
}

function bind(server: Server, address: string): Promise<void> {
  const where = parseListen(address)
  if (where === undefined || where.path !== "")
    throw new AppError("config", `"${address}" is no address for the page`, remedies.syntax)
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen({ host: where.host, port: where.port }, () => {
      server.off("error", reject)
      resolve()
    })
  })
}

function cannotListen(address: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const { code = "" } = thrown as NodeJS.ErrnoException
  const reason = unavailable[code]
  const text = `The page cannot listen on ${address}: ${reason ?? messageOf(thrown)}.`
  return new AppError(reason === undefined ? "config" : "address-in-use", text, remedies.address, { cause: thrown })
}

function pemOf(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new AppError("config", `${setting} cannot be read: ${messageOf(thrown)}.`, remedies.file, { cause: thrown })
  }
}
