import type { IncomingMessage } from "node:http"
import { createGunzip } from "node:zlib"
import { EngineError, refusals } from "./exception.js"

/** One request of ClickHouse's HTTP interface. */
export interface SqlRequest {
  readonly path: string
  readonly query: string
  /** What follows the query when that was in the address: rows of an insert. */
  readonly body: Buffer
  readonly database: string | undefined
  readonly format: string
  readonly queryId: string | undefined
  /** Values of {name:Type}, as they came: escaped text. */
  readonly parameters: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, string>>
  /** The version of the native protocol that the client decodes answers by; undefined unless it sent one. */
  readonly protocol: number | undefined
  readonly isGzipWanted: boolean
}

/** Parameters of the address that are no settings. */
const own = new Set([
  "query",
  "database",
  "default_format",
  "query_id",
  "session_id",
  "session_timeout",
  "session_check",
  "user",
  "password",
  "quota_key",
  "role",
  "client_protocol_version",
  // About the transport, which is this program's.
  "enable_http_compression",
  "http_zlib_compression_level",
  "wait_end_of_query",
  "send_progress_in_http_headers",
  "http_headers_progress_interval_ms",
  "cancel_http_readonly_queries_on_client_close",
])

/** Reads a request. Throws QUERY_IS_TOO_LARGE for more than `maxBytes` bytes, before and after unpacking. */
export async function readRequest(incoming: IncomingMessage, maxBytes: number): Promise<SqlRequest> {
  const url = new URL(incoming.url ?? "/", "http://localhost")
  const params = url.searchParams
  if (params.get("compress") === "1" || params.get("decompress") === "1") throw refusals.compression("of the native protocol") // prettier-ignore
  const body = await readBody(incoming, maxBytes)
  const query = params.get("query") ?? ""
  const entries = [...params]
  const header = (name: string) => headerOf(incoming, name)
  return {
    path: url.pathname,
    query: query === "" ? body.toString("utf8") : query,
    body: query === "" ? Buffer.alloc(0) : body,
    database: params.get("database") ?? header("x-clickhouse-database"),
    format: params.get("default_format") ?? header("x-clickhouse-format") ?? "TabSeparated",
    queryId: params.get("query_id") ?? undefined,
    parameters: Object.fromEntries(
      entries.filter(([name]) => name.startsWith("param_")).map(([name, value]) => [name.slice(6), value]),
    ),
    settings: Object.fromEntries(entries.filter(([name]) => !own.has(name) && !name.startsWith("param_"))),
    protocol: params.has("client_protocol_version") ? Number(params.get("client_protocol_version")) : undefined,
    isGzipWanted: params.get("enable_http_compression") === "1" && /\bgzip\b/.test(header("accept-encoding") ?? ""),
  }
}

function headerOf(incoming: IncomingMessage, name: string): string | undefined {
  const value = incoming.headers[name]
  return Array.isArray(value) ? value[0] : value
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = headerOf(incoming, "content-encoding") ?? "identity"
  if (encoding !== "identity" && encoding !== "gzip") throw refusals.compression(encoding)
  const source = encoding === "gzip" ? incoming.pipe(createGunzip()) : incoming
  if (source !== incoming) incoming.once("error", (error) => source.destroy(error))
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw refusals.tooLarge(maxBytes)
      chunks.push(chunk)
    }
  } catch (thrown) {
    if (thrown instanceof EngineError) throw thrown
    throw refusals.arguments("The body ended early, or is not what its content-encoding says.")
  }
  return Buffer.concat(chunks)
}

/** What a request shows of itself, in any of the ways that ClickHouse's HTTP interface takes. */
export function shownToken(incoming: IncomingMessage): string | undefined {
  const key = headerOf(incoming, "x-clickhouse-key")
  if (key !== undefined) return key
  const [scheme = "", value = ""] = (headerOf(incoming, "authorization") ?? "").split(" ")
  if (scheme.toLowerCase() === "bearer") return value
  if (scheme.toLowerCase() === "basic") {
    const pair = Buffer.from(value, "base64").toString("utf8")
    return pair.slice(pair.indexOf(":") + 1)
  }
  return new URL(incoming.url ?? "/", "http://localhost").searchParams.get("password") ?? undefined
}
