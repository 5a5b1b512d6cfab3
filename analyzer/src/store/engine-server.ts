import { rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { gunzipSync } from "node:zlib"

/** For tests: the real engine behind ClickHouse's HTTP interface, as far as the client uses it. */
export interface EngineServer {
  readonly url: string
  /** Queries received, with the settings of their address. */
  readonly received: { readonly query: string; readonly settings: Readonly<Record<string, string>> }[]
  /** Requests from now on are refused with this answer, until undefined. */
  refuse: { readonly status: number; readonly text: string } | undefined
  /** The next request is carried out and its answer never sent: the connection ends. */
  loseNextAnswer: boolean
  close(): Promise<void>
}

interface Session {
  query(sql: string, format: string): string
  queryBind(sql: string, params: Record<string, unknown>, format: string): string
  close(): void
}

export async function startEngineServer(folder: string): Promise<EngineServer> {
  const { Session } = createRequire(import.meta.url)("chdb") as { Session: new (path: string) => Session }
  const session = new Session(join(folder, "engine"))
  const server: Server = createServer((request, response) => void serve(request, response))
  const engine: EngineServer = {
    url: "",
    received: [],
    refuse: undefined,
    loseNextAnswer: false,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      session.close()
    },
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return Object.assign(engine, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await buffer(request)
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw
    const params = new URL(request.url ?? "/", "http://engine").searchParams
    const query = params.get("query") ?? ""
    engine.received.push({ query: query === "" ? body.toString("utf8") : query, settings: Object.fromEntries(params) })
    if (engine.refuse !== undefined) {
      response.writeHead(engine.refuse.status).end(engine.refuse.text)
      return
    }
    try {
      const text = await run(query, body, params)
      if (engine.loseNextAnswer) {
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
