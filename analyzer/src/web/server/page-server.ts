import type { IncomingMessage, ServerResponse } from "node:http"
import { messageOf } from "../../errors.js"
import type { Handler } from "../../http/listener.js"
import type { Log } from "../../telemetry/log.js"
import { Access } from "../auth/access.js"
import type { ApiResponse } from "../api/api.js"
import { sendError, sendFile, sendJson, sendText, securityHeaders } from "./http-responses.js"
import type { Readiness } from "./health.js"
import { isOwnOrigin } from "../auth/host-names.js"
import type { IsOurHost } from "../auth/host-names.js"
import type { LiveStream } from "./live-events.js"
import { refusalTexts } from "../auth/refusals.js"
import type { RefusalReason, Refusals } from "../auth/refusals.js"
import type { StaticFile } from "./static-files.js"

export interface PageServerParts {
  readonly version: string
  readonly access: Access
  readonly refusals: Refusals
  readonly api: { respond(path: string, params: URLSearchParams): Promise<ApiResponse | undefined> }
  readonly live: LiveStream
  readonly files: ReadonlyMap<string, StaticFile>
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  readonly readiness: () => Readiness
  readonly log: Log
}

/** What is known once the listener is bound. */
export interface BoundListener {
  readonly isTls: boolean
  readonly isOurHost: IsOurHost
}

/** The routes of the page's listener, and who may take them. */
export class PageServer {
  readonly #parts: PageServerParts
  #listener: BoundListener | undefined

  constructor(parts: PageServerParts) {
    this.#parts = parts
  }

  open(listener: BoundListener): void {
    this.#listener = listener
  }

  readonly handle: Handler = (request, response, authenticate) => {
    response.on("error", () => undefined)
    this.#route(request, response, authenticate).catch((thrown: unknown) => {
      this.#parts.log.error({ error: messageOf(thrown) }, "page request failed")
      if (!response.headersSent)
        sendError(request, response, 500, "The request failed; the analyzer's log has the error.")
      else response.destroy()
    })
  }

  async #route(request: IncomingMessage, response: ServerResponse, authenticate: () => void): Promise<void> {
    const { method = "" } = request
    const url = urlOf(request.url)
    if (this.#listener === undefined || url === undefined) return sendError(request, response, 400, "Bad request.")
    if (hasBody(request)) {
      response.shouldKeepAlive = false
      return this.#refuse(request, response, "body", 413)
    }
    const { pathname } = url
    const isRead = method === "GET" || method === "HEAD"
    // Probes come by whatever name the host has, and learn nothing that matters.
    if (isRead && pathname === "/livez") return sendJson(request, response, 200, { alive: true })
    if (isRead && pathname === "/readyz") {
      const readiness = this.#parts.readiness()
      return sendJson(request, response, readiness.ready ? 200 : 503, readiness)
    }
    if (!this.#listener.isOurHost(request.headers.host)) return this.#refuse(request, response, "host", 421)
    if (pathname === "/api/session" && method === "POST") return this.#openSession(request, response)
    if (!isRead) return this.#refuse(request, response, "method", 405)
    const isGuarded = pathname.startsWith("/api/") || pathname === "/metrics" || pathname === "/version"
    if (!isGuarded) return this.#file(request, response, pathname)
    if (!this.#parts.access.isAllowed(request)) return this.#refuseToken(request, response)
    authenticate()
    return this.#guarded(request, response, url)
  }

  async #guarded(request: IncomingMessage, response: ServerResponse, { pathname, searchParams }: URL): Promise<void> {
    const { version, metrics, live, api } = this.#parts
    if (pathname === "/version") return sendJson(request, response, 200, { version })
    if (pathname === "/metrics") return sendText(request, response, 200, await metrics.text(), metrics.contentType)
    if (pathname === "/api/session") return sendJson(request, response, 200, {})
    if (pathname === "/api/events") {
      if (request.method === "HEAD") return sendText(request, response, 200, "", "text/event-stream")
      if (live.isFull) return this.#refuse(request, response, "too_many_watchers", 503)
      live.open(request, response)
      return
    }
    const found = await api.respond(pathname.slice("/api".length), searchParams)
    if (found === undefined) sendError(request, response, 404, "Not found.")
    else if (found.status === 200) sendJson(request, response, 200, found.body)
    else sendError(request, response, found.status, found.error)
  }

  #file(request: IncomingMessage, response: ServerResponse, pathname: string): void {
    const { files } = this.#parts
    const file = files.get(pathname)
    if (file !== undefined) sendFile(request, response, file)
    else if (pathname === "/" && files.size === 0)
      sendText(request, response, 404, "The page is not built. Run: npm run build\n", "text/plain; charset=utf-8")
    else sendText(request, response, 404, "Not found.\n", "text/plain; charset=utf-8")
  }

  async #openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers } = request
    if (!isOwnOrigin(headers.origin, headers.host, this.#listener?.isTls === true))
      return this.#refuse(request, response, "origin", 403)
    if (!this.#parts.access.hasToken(request)) return this.#refuseToken(request, response)
    response.writeHead(204, {
      ...securityHeaders,
      "cache-control": "no-store",
      "set-cookie": this.#parts.access.open(),
    })
    response.end()
  }

  async #refuseToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!Access.showsToken(request)) {
      response.setHeader("www-authenticate", "Bearer")
      return this.#refuse(request, response, "no_token", 401)
    }
    if (await this.#parts.refusals.wrongToken()) return sendError(request, response, 401, refusalTexts.wrong_token)
    response.setHeader("retry-after", "1")
    sendError(request, response, 429, refusalTexts.too_many_failures)
  }

  #refuse(request: IncomingMessage, response: ServerResponse, reason: RefusalReason, status: number): void {
    this.#parts.refusals.count(reason)
    sendError(request, response, status, refusalTexts[reason])
  }
}

function urlOf(target: string | undefined): URL | undefined {
  if (target?.startsWith("/") !== true) return undefined
  try {
    return new URL(`http://page${target}`)
  } catch {
    return undefined
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0
}
