import { chmodSync, rmSync } from "node:fs"
import { createServer, request } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { join } from "node:path"
import { findingClasses } from "../../domain/finding-classes.js"
import { severities } from "../../domain/severity.js"
import { AppError, messageOf } from "../../errors.js"
import type { Filter, Listed } from "./queries.js"

/** The lists that can be requested. */
const lists = ["findings", "incidents", "connections"] as const
export type List = (typeof lists)[number]

/** Rows of one answer at most: all of it stands in memory on both sides. */
export const maxRows = 100_000

export interface QueryServer {
  close(): Promise<void>
}

/** Where the analyzer that holds a state folder answers; other users of the machine cannot open it. */
export function querySocket(state: string): string {
  return join(state, "query.sock")
}

/**
 * Answers the fixed read-only queries while this process holds the embedded store: `GET /findings?since_us=…&limit=…`
 * gives a JSON array. The caller holds the state folder, so a socket that is there already is a dead one.
 */
export async function serveQueries(state: string, queries: Listed): Promise<QueryServer> {
  const path = querySocket(state)
  rmSync(path, { force: true })
  const server = createServer((incoming, response) => void answer(queries, incoming, response))
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(queries: Listed, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://query.sock")
    const list = lists.find((name) => pathname === `/${name}`)
    if (list === undefined || incoming.method !== "GET") return reply(response, 404, { error: "no such query" })
    const filter = filterOf(searchParams)
    if (filter === undefined) return reply(response, 400, { error: "no such filter" })
    reply(response, 200, await ask(queries, list, filter))
  } catch (thrown) {
    reply(response, 500, { error: messageOf(thrown) })
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

/** One of the lists. */
export function ask(queries: Listed, list: List, filter: Filter): Promise<readonly unknown[]> {
  return queries[list](filter)
}

function filterOf(params: URLSearchParams): Filter | undefined {
  const [severity, findingClass, since] = ["severity", "class", "since_us"].map((name) => params.get(name) ?? undefined)
  const limit = Number(params.get("limit") ?? "100")
  const knownSeverity = severities.find((name) => name === severity)
  const knownClass = findingClasses.find((name) => name === findingClass)
  const sinceUs = since === undefined ? undefined : Number(since)
  const isWrong =
    (severity !== undefined && knownSeverity === undefined) ||
    (findingClass !== undefined && knownClass === undefined) ||
    (sinceUs !== undefined && !Number.isSafeInteger(sinceUs)) ||
    !Number.isInteger(limit) ||
    limit < 1 ||
    limit > maxRows
  if (isWrong) return undefined
  return {
    limit,
    open: params.get("open") === "true",
    ...(knownSeverity === undefined ? {} : { severity: knownSeverity }),
    ...(knownClass === undefined ? {} : { class: knownClass }),
    ...(sinceUs === undefined ? {} : { sinceUs }),
  }
}

/** Asks the analyzer that holds `state`. Throws AppError "store-unreachable" when it does not answer. */
export function askRunning(state: string, list: List, filter: Filter): Promise<readonly unknown[]> {
  const params = new URLSearchParams({ limit: String(filter.limit), open: String(filter.open === true) })
  if (filter.severity !== undefined) params.set("severity", filter.severity)
  if (filter.class !== undefined) params.set("class", filter.class)
  if (filter.sinceUs !== undefined) params.set("since_us", String(filter.sinceUs))
  return new Promise((resolve, reject) => {
    const failed = (thrown: unknown) =>
      reject(
        new AppError(
          "store-unreachable",
          `The analyzer that uses ${state} does not answer queries: ${messageOf(thrown)}.`,
          "Wait until it is ready, or stop it.",
          { cause: thrown },
        ),
      )
    const outgoing = request({ socketPath: querySocket(state), path: `/${list}?${params.toString()}` }, (response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", failed)
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8")
        if (response.statusCode === 200) resolve(JSON.parse(text) as unknown[])
        else failed(new Error(text))
      })
    })
    outgoing.on("error", failed)
    outgoing.end()
  })
}
