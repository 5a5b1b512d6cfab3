import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { promisify } from "node:util"
import { gzip } from "node:zlib"
import type { ServedConfig } from "../../config/load.js"
import { isSameSecret } from "../../config/secrets.js"
import { listenHttp } from "../../http/listener.js"
import type { Answer } from "./engine.js"
import { engineError, refusals, statusOf, textOf } from "./exception.js"
import { readRequest, shownToken } from "./request.js"
import type { SqlRequest } from "./request.js"

export interface HttpInterfaceOptions {
  /** "127.0.0.1:8123"; port 0 for any free one. */
  readonly address: string
  readonly tls: ServedConfig["tls"]
  /** What every request but /ping must show. */
  readonly token: string
  /** Most bytes of a body, before and after unpacking. */
  readonly bodyBytes: number
  readonly run: (request: SqlRequest) => Promise<Answer>
  /** Of the engine, as errors tell it. */
  readonly version: () => string
}

export interface HttpInterface {
  /** With the port that was taken. */
  readonly url: string
  close(): Promise<void>
}

/** Content types that clients know the formats by; text for every other. */
const types: Readonly<Record<string, string>> = {
  Native: "application/octet-stream",
  RowBinary: "application/octet-stream",
  Parquet: "application/octet-stream",
  Arrow: "application/octet-stream",
  ArrowStream: "application/octet-stream",
  JSON: "application/json; charset=UTF-8",
  JSONCompact: "application/json; charset=UTF-8",
  JSONEachRow: "application/x-ndjson; charset=UTF-8",
  CSV: "text/csv; charset=UTF-8",
  CSVWithNames: "text/csv; charset=UTF-8",
  TabSeparated: "text/tab-separated-values; charset=UTF-8",
}

/** A query may stand in the address. */
const limits = { connections: 64, headersMs: 30_000, headerBytes: 16_384 }
const compress = promisify(gzip)

/** Serves ClickHouse's HTTP interface: /ping, and queries on /. Throws "address-in-use", and "config" for unusable files. */
export async function serveHttp(options: HttpInterfaceOptions): Promise<HttpInterface> {
  const { address, tls } = options
  const listener = await listenHttp(
    { setting: "store.serve", address, tls, limits },
    (incoming, response, authenticate) => {
      void answer(options, incoming, response, authenticate)
    },
  )
  return { url: listener.url, close: () => listener.close(0) }
}

async function answer(
  options: HttpInterfaceOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
  authenticate: () => void,
): Promise<void> {
  incoming.on("error", () => undefined)
  response.on("error", () => undefined)
  try {
    const path = new URL(incoming.url ?? "/", "http://localhost").pathname
    if (path === "/ping" || path === "/replicas_status") return void response.writeHead(200).end("Ok.\n")
    // Before the body is read: who shows no token sends nothing into memory.
    if (!isSameSecret(shownToken(incoming) ?? "", options.token)) throw refusals.unauthenticated()
    authenticate()
    if (path !== "/") throw refusals.path(path)
    if (incoming.method !== "GET" && incoming.method !== "POST")
      throw refusals.arguments("Only GET and POST are known.")
    const request = await readRequest(incoming, options.bodyBytes)
    if (request.query.trim() === "") return void response.writeHead(200).end("Ok.\n")
    await send(response, request, await options.run(request))
  } catch (thrown) {
    refuse(response, thrown, options.version())
  }
}

async function send(response: ServerResponse, request: SqlRequest, given: Answer): Promise<void> {
  const { bytes, format, rowsRead, bytesRead, elapsedSeconds } = given
  const body = request.isGzipWanted ? await compress(bytes, { level: 1 }) : bytes
  const summary = {
    read_rows: String(rowsRead),
    read_bytes: String(bytesRead),
    elapsed_ns: String(Math.round(elapsedSeconds * 1e9)),
  }
  response
    .writeHead(200, {
      "content-type": types[format] ?? "text/plain; charset=UTF-8",
      "content-length": body.length,
      ...(request.isGzipWanted ? { "content-encoding": "gzip" } : {}),
      "x-clickhouse-server-display-name": "backflow",
      "x-clickhouse-query-id": asHeader(request.queryId) ?? randomUUID(),
      "x-clickhouse-format": format,
      "x-clickhouse-timezone": "UTC",
      "x-clickhouse-summary": JSON.stringify(summary),
    })
    .end(body)
}

function refuse(response: ServerResponse, thrown: unknown, version: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const error = engineError(thrown)
  response
    .writeHead(statusOf(error), {
      "content-type": "text/plain; charset=UTF-8",
      "x-clickhouse-exception-code": String(error.code),
      ...(error.code === 516 ? { "www-authenticate": 'Basic realm="backflow"' } : {}),
      // What is left of the body is not read.
      connection: "close",
    })
    .end(textOf(error, version))
}

function asHeader(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w.:-]{1,128}$/.test(text) ? text : undefined
}
