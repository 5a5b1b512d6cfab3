import { createServer } from "node:http"
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import { parseListen } from "../config/listen-address.js"
import type { ServedConfig } from "../config/load.js"
import { fileOf } from "../config/secrets.js"
import { AppError, messageOf } from "../errors.js"
import { endpointText } from "../text/endpoint.js"
import { Connections } from "./connections.js"

/** What a client may take to send a whole request, in milliseconds. */
const requestMs = 30_000
/** How often that is checked, and how long an idle connection is kept, in milliseconds. */
const checkMs = 2_000
const keepAliveMs = 10_000
/**
 * Connections that wait for their accept (the system bounds it by net.core.somaxconn, usually 4096). One is accepted at each
 * turn of the event loop; beyond this many a client gets through a second later, when it tries again.
 */
const backlog = 4_096

export interface ListenerLimits {
  /** Connections at once that have shown the token; what others may hold is bounded by itself (`connections.ts`). */
  readonly connections: number
  /** What a client may take to send its headers, in milliseconds. */
  readonly headersMs: number
  /** Of all headers, and the address, of one request. */
  readonly headerBytes: number
}

export interface ListenerOptions {
  /** The part of the configuration that this listener belongs to: "page", "store.serve". */
  readonly setting: string
  /** "127.0.0.1:4480", "[::1]:4480", "localhost:4480"; port 0 takes a free one. */
  readonly address: string
  readonly tls: ServedConfig["tls"]
  readonly limits: ListenerLimits
  /** A connection that showed no token was dropped, because there were too many. */
  readonly onDropped?: () => void
}

export interface HttpListener {
  /** "http://127.0.0.1:4480", with the port that was taken. */
  readonly url: string
  /** PEM; undefined without TLS. */
  readonly certificate: Buffer | undefined
  /** Takes no new connections, and ends idle ones. */
  refuse(): void
  /** Resolves when all is closed; requests under way are cut off after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** `authenticate` is called once the request has shown the token. */
export type Handler = (request: IncomingMessage, response: ServerResponse, authenticate: () => void) => void

/** An HTTP server, with TLS where it is configured. Throws AppError "address-in-use", or "config" for what cannot be used. */
export async function listenHttp(options: ListenerOptions, handle: Handler): Promise<HttpListener> {
  const { setting, tls, limits, onDropped = () => undefined } = options
  const connections = new Connections(limits.connections, onDropped)
  const handler: RequestListener = (request, response) =>
    handle(request, response, () => connections.authenticate(request.socket))
  const pem = tls && {
    cert: fileOf(`${setting}.tls.cert_file`, tls.certFile),
    key: fileOf(`${setting}.tls.key_file`, tls.keyFile),
  }
  const serverOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: checkMs,
    keepAliveTimeout: keepAliveMs,
  }
  const server = pem === undefined ? createServer(serverOptions, handler) : tlsServer(setting, { ...serverOptions, ...pem }, handler) // prettier-ignore
  server.on("connection", (socket: Socket) => connections.accept(socket))
  await bind(server, options)
  // Such as too many open files at an accept: the connection is lost, not the analyzer.
  server.on("error", () => undefined)
  const refuse = () => {
    server.close()
    server.closeIdleConnections()
  }
  return {
    url: `${pem === undefined ? "http" : "https"}://${endpointText(server.address() as AddressInfo)}`,
    certificate: pem?.cert,
    refuse,
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

function tlsServer(
  setting: string,
  options: ServerOptions & { cert: Buffer; key: Buffer },
  handler: RequestListener,
): Server {
  try {
    return createTlsServer({ ...options, minVersion: "TLSv1.2" }, handler)
  } catch (thrown) {
    const remedy = "Name a certificate and its key, both PEM."
    throw new AppError("config", `${setting}.tls is not usable: ${messageOf(thrown)}.`, remedy, { cause: thrown })
  }
}

function bind(server: Server, { setting, address }: ListenerOptions): Promise<void> {
  const where = parseListen(address)
  if (where === undefined || where.path !== "") {
    const text = `${setting}.address is not usable: "${address}" is no address to listen on.`
    throw new AppError("config", text, "Write 127.0.0.1:4480 or [::1]:4480.")
  }
  return new Promise((resolve, reject) => {
    const fail = (thrown: Error) => reject(cannotListen(setting, address, thrown))
    server.once("error", fail)
    server.listen({ host: where.host, port: where.port, backlog }, () => {
      server.off("error", fail)
      resolve()
    })
  })
}

/** Why an address is not available, by the code of listen(2). */
const unavailable: Readonly<Record<string, string>> = {
  EADDRINUSE: "it is in use",
  EADDRNOTAVAIL: "it is not this machine's",
}

function cannotListen(setting: string, address: string, thrown: NodeJS.ErrnoException): AppError {
  const reason = unavailable[thrown.code ?? ""]
  const text = `${setting} cannot listen on ${address}: ${reason ?? messageOf(thrown)}.`
  const remedy = `Choose another with ${setting}.address, or off.`
  return new AppError(reason === undefined ? "config" : "address-in-use", text, remedy, { cause: thrown })
}
