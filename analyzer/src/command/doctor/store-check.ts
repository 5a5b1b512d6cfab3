import { constants, existsSync } from "node:fs"
import { access, statfs } from "node:fs/promises"
import { request } from "node:http"
import { dirname } from "node:path"
import { ClickHouseLogLevel, createClient } from "@clickhouse/client"
import type { Config } from "../../config/load.js"
import { fileOf, secretOf } from "../../config/secrets.js"
import { folderProblem } from "../../config/trusted-paths.js"
import { messageOf } from "../../errors.js"
import { bytesText } from "../../text/amounts.js"
import { querySocket } from "../../store/read/query-server.js"
import { migrations } from "../../store/schema/migrations.js"
import { holderOf } from "../../store/state-folder.js"
import { degraded, failing, ok } from "./check.js"
import type { Outcome } from "./check.js"

/** Disk that must be free for the embedded store to work at all, and for a day of a busy host. */
const [minBytes, comfortableBytes] = [100_000_000, 2_000_000_000]
const serverMs = 5_000

const remedies = {
  unwritable: "Name another folder with --state, or run as its owner.",
  full: "Make room on that disk.",
  nearlyFull: "Make room, or lower store.quota_bytes so that old records are dropped before the disk is full.",
  hanging: "Check its log; stop it if it hangs.",
  unusable: "Check store.url, store.username, store.password_file and store.ca_file, and that the server is up.",
  newer: "Update Backflow here.",
} as const

/** The state folder: present or to be made, writable, with room; and whether the analyzer that holds it responds. */
export async function stateFolder({ state, store }: Config): Promise<Outcome> {
  const problem = folderProblem(state)
  if (problem !== undefined) return failing(`${state} is refused: ${problem.text}`, problem.remedy)
  const folder = nearestFolder(state)
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch {
    return failing(`${folder} cannot be written by this user`, remedies.unwritable)
  }
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const room = `${bytesText(free)} free`
  if (free < minBytes) return failing(`${state}: ${room}`, remedies.full)
  const holder = existsSync(state) ? holderOf(state) : undefined
  if (holder !== undefined && !(await responds(querySocket(state))))
    return failing(`process ${holder} holds ${state} and does not respond`, remedies.hanging)
  const user = holder === undefined ? "not in use" : `in use by process ${holder}, which responds`
  const text = `${state}: ${room}, ${user}`
  const isScarce = store.url === undefined && free < Math.min(store.quotaBytes, comfortableBytes)
  return isScarce ? degraded(text, remedies.nearlyFull) : ok(text)
}

export interface ServerInfo {
  readonly version: string
  /** Server's clock minus this one's, in milliseconds, give or take half the round trip. */
  readonly skewMs: number
  /** Highest applied migration; 0 for a database without tables. */
  readonly schema: number
}

/** Rejects when the server is unreachable or refuses. */
export async function queryServer({ store }: Config): Promise<ServerInfo | undefined> {
  if (store.url === undefined) return undefined
  const client = createClient({
    url: store.url,
    username: store.username,
    password: store.passwordFile === undefined ? "" : secretOf("store.password_file", store.passwordFile),
    request_timeout: serverMs,
    ...(store.caFile !== undefined && { tls: { ca_cert: fileOf("store.ca_file", store.caFile) } }),
    log: { level: ClickHouseLogLevel.OFF },
  })
  const first = async <Row>(query: string, params: Record<string, string> = {}) =>
    (await (await client.query({ query, format: "JSONEachRow", query_params: params })).json<Row>())[0]
  try {
    const before = Date.now()
    const hello = await first<{ version: string; now: string | number }>(
      "SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS now",
    )
    const after = Date.now()
    const known = await first<{ present: string | number }>(
      "SELECT count() AS present FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'",
      { database: store.database },
    )
    const applied =
      Number(known?.present ?? 0) === 0
        ? undefined
        : await first<{ version: string | number }>(
            "SELECT max(version) AS version FROM {database:Identifier}.schema_migrations",
            { database: store.database },
          )
    return {
      version: hello?.version ?? "unknown",
      skewMs: Number(hello?.now ?? before) - (before + after) / 2,
      schema: Number(applied?.version ?? 0),
    }
  } finally {
    await client.close()
  }
}

/** The state of the store; `serverInfo` resolves to undefined for the embedded engine. */
export async function storeServer({ store }: Config, serverInfo: Promise<ServerInfo | undefined>): Promise<Outcome> {
  let server: ServerInfo | undefined
  try {
    server = await serverInfo
  } catch (thrown) {
    const text = `the ClickHouse server at ${originOf(store.url)} is not usable: ${messageOf(thrown)}`
    return failing(text, remedies.unusable)
  }
  if (server === undefined) return ok("the embedded engine, in the state folder")
  const newest = Math.max(...migrations.map(({ version }) => version))
  const where = `ClickHouse ${server.version} at ${originOf(store.url)}`
  if (server.schema > newest)
    return failing(`${where} has tables of a newer release (schema ${server.schema}, known ${newest})`, remedies.newer)
  if (server.schema < newest)
    return ok(`${where}; the next start migrates its tables from schema ${server.schema} to ${newest}`)
  return ok(`${where}, schema ${server.schema}`)
}

function originOf(url: string | undefined): string {
  return url === undefined ? "" : new URL(url).origin
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}

function responds(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ socketPath, path: "/findings?limit=1", timeout: serverMs }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    sent.on("timeout", () => sent.destroy())
    sent.on("error", () => resolve(false))
    sent.end()
  })
}
