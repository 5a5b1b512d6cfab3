import { join } from "node:path"
import { findingClasses } from "../../domain/finding-classes.js"
import { severities } from "../../domain/severity.js"
import { AppError, messageOf } from "../../errors.js"
import { requestPrivate, servePrivate } from "../../http/private-socket.js"
import type { PrivateServer } from "../../http/private-socket.js"
import type { Filter, Listed } from "./queries.js"

/** The lists that can be requested. */
const lists = ["findings", "incidents", "connections"] as const
export type List = (typeof lists)[number]

/** Rows of one answer at most: all of it stands in memory on both sides. */
export const maxRows = 100_000

/** Where the analyzer that holds a state folder answers; other users of the machine cannot open it. */
export function querySocket(state: string): string {
  return join(state, "query.sock")
}

/**
 * Answers the fixed read-only queries while this process holds the embedded store: `GET /findings?since_us=…&limit=…`
 * gives a JSON array.
 */
export function serveQueries(state: string, queries: Listed): Promise<PrivateServer> {
  return servePrivate(querySocket(state), async ({ method, pathname, params }) => {
    const list = lists.find((name) => pathname === `/${name}`)
    if (list === undefined || method !== "GET") return { status: 404, body: { error: "no such query" } }
    const filter = filterOf(params)
    if (filter === undefined) return { status: 400, body: { error: "no such filter" } }
    return { status: 200, body: await ask(queries, list, filter) }
  })
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
export async function askRunning(state: string, list: List, filter: Filter): Promise<readonly unknown[]> {
  const params = new URLSearchParams({ limit: String(filter.limit), open: String(filter.open === true) })
  if (filter.severity !== undefined) params.set("severity", filter.severity)
  if (filter.class !== undefined) params.set("class", filter.class)
  if (filter.sinceUs !== undefined) params.set("since_us", String(filter.sinceUs))
  try {
    return await requestPrivate<unknown[]>(querySocket(state), "GET", `/${list}?${params.toString()}`)
  } catch (thrown) {
    const text = `The analyzer that uses ${state} does not answer queries: ${messageOf(thrown)}.`
    throw new AppError("store-unreachable", text, "Wait until it is ready, or stop it.", { cause: thrown })
  }
}
