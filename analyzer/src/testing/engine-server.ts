import { createHash } from "node:crypto"
import { rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { setTimeout as delay } from "node:timers/promises"
import { gunzipSync } from "node:zlib"

/** For tests: the real engine behind ClickHouse's HTTP interface, as far as the client uses it. */
export interface EngineServer {
  readonly url: string
  /** Queries received, with the settings of their address and the SHA-256 of their body as it was sent. */
  readonly received: {
    readonly query: string
    readonly settings: Readonly<Record<string, string>>
    readonly body: string
  }[]
  /** What happens to the next inserts, one each. */
  readonly faults: Fault[]
  /** Requests from now on are refused with this answer, until undefined. */
  refuse: { readonly status: number; readonly text: string } | undefined
  /** The next request is carried out and its answer never sent: the connection ends. */
  loseNextAnswer: boolean
  /** Nobody listens until `resume`, and open connections are cut: a restart as its clients see it. */
  pause(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}

/** Cut off before it was carried out, or after; refused as too much, or as a replica without its keeper refuses; slow. */
type Fault = "reset" | "lost answer" | "overloaded" | "read-only" | "slow"

const slowMs = 300

interface Session {
  query(sql: string, format: string): string
  queryBind(sql: string, params: Record<string, unknown>, format: string): string
  close(): void
}

/** `tls` makes it speak HTTPS. */
export async function startEngineServer(
  folder: string,
  tls?: { readonly key: Buffer; readonly cert: Buffer },
): Promise<EngineServer> {
  const { Session } = createRequire(import.meta.url)("chdb") as { Session: new (path: string) => Session }
  const session = new Session(join(folder, "engine"))
  const handle = (request: IncomingMessage, response: ServerResponse) => void serve(request, response)
  const server: Server = tls === undefined ? createServer(handle) : createSecureServer(tls, handle)
  const stopListening = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const engine: EngineServer = {
    url: "",
    received: [],
    faults: [],
    pause: stopListening,
    resume: () => new Promise((resolve) => server.listen(Number(new URL(engine.url).port), "127.0.0.1", resolve)),
    refuse: undefined,
    loseNextAnswer: false,
    close: async () => {
      if (server.listening) await stopListening()
      session.close()
    },
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return Object.assign(engine, {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await buffer(request)
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw
    const params = new URL(request.url ?? "/", "http://engine").searchParams
    const query = params.get("query") ?? ""
    engine.received.push({
      query: query === "" ? body.toString("utf8") : query,
      settings: Object.fromEntries(params),
      body: createHash("sha256").update(raw).digest("hex"),
    })
    const fault = query.startsWith("INSERT") ? engine.faults.shift() : undefined
    if (fault === "reset") {
      request.socket.destroy()
      return
    }
    if (fault === "overloaded" || fault === "read-only") {
      const [status, text] =
        fault === "overloaded"
          ? [503, "Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)"]
          : [500, "Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)"]
      response.writeHead(status).end(text)
      return
    }
    if (fault === "slow") await delay(slowMs)
    if (engine.refuse !== undefined) {
      response.writeHead(engine.refuse.status).end(engine.refuse.text)
      return
    }
    try {
      const text = await run(query, body, params)
      if (engine.loseNextAnswer || fault === "lost answer") {
        engine.loseNextAnswer = false
        request.socket.destroy()
      } else response.writeHead(200, { "x-clickhouse-query-id": params.get("query_id") ?? "" }).end(text)
    } catch (thrown) {
      response.writeHead(500).end(thrown instanceof Error ? thrown.message : String(thrown))
    }
  }

  async function run(query: string, body: Buffer, params: URLSearchParams): Promise<string> {
    const database = params.get("database")
    if (database !== null) session.query(`USE ${database}`, "CSV")
    const native = /^INSERT INTO (\w+) \((.*)\) SETTINGS (.*) FORMAT Native$/s.exec(query)
    if (native !== null) {
      const [, table = "", columns = "", settings = ""] = native
      const file = join(folder, "block.native")
      await writeFile(file, body)
      session.query(
        `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM file('${file}', 'Native') SETTINGS ${settings}`,
        "CSV",
      )
      await rm(file)
      return ""
    }
    const sql = query === "" ? body.toString("utf8") : `${query}\n${body.toString("utf8")}`
    const bound = Object.fromEntries(
      [...params].filter(([name]) => name.startsWith("param_")).map(([name, value]) => [name.slice(6), value]),
    )
    const format = params.get("default_format") ?? "TabSeparated"
    return Object.keys(bound).length > 0 ? session.queryBind(sql, bound, format) : session.query(sql, format)
  }
}
