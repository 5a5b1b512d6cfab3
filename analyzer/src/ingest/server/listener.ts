import { existsSync, unlinkSync } from "node:fs"
import http2 from "node:http2"
import net from "node:net"
import { ServerCredentials } from "@grpc/grpc-js"
import type { Server, ServerCredentials as Credentials } from "@grpc/grpc-js"
import { parseListen } from "../../config/listen-address.js"
import { AppError } from "../../errors.js"
import { endpointText } from "../../text/endpoint.js"

/** PEM texts. With a client authority, only collectors with a certificate from it may connect (mTLS). */
export interface TlsFiles {
  readonly certificate: Buffer
  readonly key: Buffer
  readonly clientAuthority?: Buffer
}

export interface ListenOptions {
  /** "unix:/path", "127.0.0.1:4319", "[::1]:4319"; port 0 takes a free one. */
  readonly address: string
  readonly tls?: TlsFiles | undefined
}

/**
 * Bytes a collector may send ahead of what was read, per connection and per stream. The default of 64 KiB allows about
 * 80 000 records/s at 10 ms of round trip; 1 MiB allows 13 times that, and keeps one turn of the event loop below 20 ms.
 */
const windowBytes = 1024 * 1024
const frameBytes = 256 * 1024

/** Listens, and hands connections to the gRPC server. Resolves with the address in the form of `ListenOptions`. */
export async function listen(server: Server, { address, tls }: ListenOptions): Promise<Listener> {
  const where = parseListen(address)
  if (where === undefined)
    throw new AppError("config", `"${address}" is no address to listen on`, "write unix:/path, 127.0.0.1:4410 or [::1]:4410") // prettier-ignore
  if (tls === undefined && !where.loopback)
    throw new AppError("config", `${address} is reachable from other hosts and has no TLS`, "set listen.tls, or listen on 127.0.0.1 or a unix socket") // prettier-ignore
  const injector = withWiderWindows(() => server.createConnectionInjector(credentialsOf(tls)))
  const sockets = new Set<net.Socket>()
  const listener = net.createServer((socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
    // The HTTP/2 session reports the same failure; without a listener here it would end the process.
    socket.on("error", () => undefined)
    socket.setNoDelay(true)
    injector.injectConnection(socket)
  })
  const { host, port, path } = where
  if (path !== "") await removeStaleSocket(path)
  await new Promise<void>((resolve, reject) => {
    listener.once("error", (error: NodeJS.ErrnoException) => reject(listenError(address, error)))
    if (path === "") listener.listen({ host, port }, resolve)
    else listenPrivately(listener, path, resolve)
  })
  // Such as too many open files at an accept: the connection is lost, not the analyzer.
  listener.on("error", () => undefined)
  return {
    address: path === "" ? endpointText(listener.address() as net.AddressInfo) : address,
    refuse: () => {
      listener.close()
    },
    close: () => {
      injector.destroy()
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** The socket file is there, for its owner only, when `listen` returns. */
function listenPrivately(listener: net.Server, path: string, whenListening: () => void): void {
  const mask = process.umask(0o177)
  try {
    listener.listen({ path }, whenListening)
  } finally {
    process.umask(mask)
  }
}

export interface Listener {
  readonly address: string
  /** Takes no new connections; those that are open go on. */
  refuse(): void
  close(): void
}

function credentialsOf(tls: TlsFiles | undefined): Credentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const pair = { cert_chain: tls.certificate, private_key: tls.key }
  return ServerCredentials.createSsl(tls.clientAuthority ?? null, [pair], tls.clientAuthority !== undefined)
}

/** A socket file that nobody listens on is what a killed analyzer leaves. */
async function removeStaleSocket(path: string): Promise<void> {
  if (!existsSync(path)) return
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path)
    probe.once("connect", () => {
      probe.destroy()
      resolve(true)
    })
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"))
  })
  if (!isAlive) unlinkSync(path)
}

function listenError(address: string, error: NodeJS.ErrnoException): AppError {
  if (error.code === "EADDRINUSE")
    return new AppError("address-in-use", `${address} is in use by another program`, "stop that program or choose another address with --listen", { cause: error }) // prettier-ignore
  return new AppError("config", `cannot listen on ${address}: ${error.code ?? error.message}`, "choose an address of this host that this user may listen on", { cause: error }) // prettier-ignore
}

/**
 * grpc-js has no option for the HTTP/2 window of a server (its flow_control_window is for clients), so the functions with
 * which it makes its HTTP/2 server are replaced while `make` runs, and put back.
 */
function withWiderWindows<T>(make: () => T): T {
  const { createServer, createSecureServer } = http2
  const settings = { initialWindowSize: windowBytes, maxFrameSize: frameBytes }
  const widen = <S extends http2.Http2Server | http2.Http2SecureServer>(server: S): S => {
    server.on("session", (session: http2.ServerHttp2Session) => session.setLocalWindowSize(windowBytes))
    return server
  }
  Object.assign(http2, {
    createServer: (options: http2.ServerOptions) =>
      widen(createServer({ ...options, settings: { ...options.settings, ...settings } })),
    createSecureServer: (options: http2.SecureServerOptions) =>
      widen(createSecureServer({ ...options, settings: { ...options.settings, ...settings } })),
  })
  try {
    return make()
  } finally {
    Object.assign(http2, { createServer, createSecureServer })
  }
}
