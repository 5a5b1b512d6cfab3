import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { headerOf } from "./request.js"

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
  return new URL(incoming.url ?? "/", "http://front").searchParams.get("password") ?? undefined
}

/** Whether it is the token; takes as long for a wrong one as for the right one. */
export function isToken(shown: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(shown ?? ""), digest(token)) && token !== ""
}
