import type { IncomingMessage, ServerResponse } from "node:http"
import { messageOf } from "../../errors.js"
import type { Log } from "../../telemetry/log.js"
import { Access } from "../auth/access.js"
import type { Answer } from "../api/api.js"
import { answerError, answerFile, answerJson, answerText, securityHeaders } from "./http-answers.js"
import type { Readiness } from "../health.js"
import { isOwnOrigin } from "../auth/host-names.js"
import type { IsOurHost } from "../auth/host-names.js"
import type { LiveStream } from "./live-events.js"
import type { RefusalReason, Refusals } from "../auth/refusals.js"
import type { StaticFile } from "./static-files.js"

export interface PageServerParts {
  readonly version: string
  readonly access: Access
  readonly refusals: Refusals
  readonly api: { answer(path: string, params: URLSearchParams): Promise<Answer | undefined> }
  readonly live: LiveStream
  readonly files: ReadonlyMap<string, StaticFile>
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  readonly readiness: () => Readiness
  readonly log: Log
}

/** What is known once the listener is bound. */
export interface Door {
  readonly isTls: boolean
  readonly isOurHost: IsOurHost
}

/** The routes of the page's listener, and who may take them. */
export class PageServer {
  readonly #parts: PageServerParts
  #door: Door | undefined

  constructor(parts: PageServerParts) {
    this.#parts = parts
  }

  open(door: Door): void {
    this.#door = door
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", () => undefined)
    this.#route(request, response).catch((thrown: unknown) => {
      this.#parts.log.error({ error: messageOf(thrown) }, "a request of the page failed")
      if (!response.headersSent)
        answerError(request, response, 500, "Something went wrong; the analyzer's log says what.")
      else response.destroy()
    })
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "" } = request
    const url = urlOf(request.url)
    if (this.#door === undefined || url === undefined) return answerError(request, response, 400, "Not a request.")
    if (hasBody(request)) {
      response.shouldKeepAlive = false
      return this.#refuse(request, response, "body", 413, "Requests have no body here.")
    }
    const { pathname } = url
    const isRead = method === "GET" || method === "HEAD"
    // Probes come by whatever name the host has, and learn nothing that matters.
    if (isRead && pathname === "/livez") return answerJson(request, response, 200, { alive: true })
    if (isRead && pathname === "/readyz") {
      const readiness = this.#parts.readiness()
      return answerJson(request, response, readiness.ready ? 200 : 503, readiness)
    }
    if (!this.#door.isOurHost(request.headers.host))
      return this.#refuse(request, response, "host", 421, "This name is not the analyzer's: open the page by its address.") // prettier-ignore
    if (pathname === "/api/session" && method === "POST") return this.#openSession(request, response)
    if (!isRead) return this.#refuse(request, response, "method", 405, "Only GET is answered here.")
    const isGuarded = pathname.startsWith("/api/") || pathname === "/metrics" || pathname === "/version"
    if (!isGuarded) return this.#file(request, response, pathname)
    if (!this.#parts.access.isAllowed(request)) return this.#refuseToken(request, response)
    return this.#guarded(request, response, url)
  }

  async #guarded(request: IncomingMessage, response: ServerResponse, { pathname, searchParams }: URL): Promise<void> {
    const { version, metrics, live, api } = this.#parts
    if (pathname === "/version") return answerJson(request, response, 200, { version })
    if (pathname === "/metrics") return answerText(request, response, 200, await metrics.text(), metrics.contentType)
    if (pathname === "/api/session") return answerJson(request, response, 200, {})
    if (pathname === "/api/events") {
      if (request.method === "HEAD") return answerText(request, response, 200, "", "text/event-stream")
      if (live.isFull)
        return this.#refuse(request, response, "too_many_watchers", 503, "Too many pages are open; close one and reload.") // prettier-ignore
      live.open(request, response)
      return
    }
    const answer = await api.answer(pathname.slice("/api".length), searchParams)
    if (answer === undefined) answerError(request, response, 404, "There is nothing here.")
    else if (answer.status === 200) answerJson(request, response, 200, answer.body)
    else answerError(request, response, answer.status, answer.error)
  }

  #file(request: IncomingMessage, response: ServerResponse, pathname: string): void {
    const { files } = this.#parts
    const file = files.get(pathname)
    if (file !== undefined) answerFile(request, response, file)
    else if (pathname === "/" && files.size === 0)
      answerText(request, response, 404, "The page was not built: run npm run build.\n", "text/plain; charset=utf-8")
    else answerText(request, response, 404, "There is nothing here.\n", "text/plain; charset=utf-8")
  }

  async #openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers } = request
    if (!isOwnOrigin(headers.origin, headers.host, this.#door?.isTls === true))
      return this.#refuse(request, response, "origin", 403, "Another site may not sign in here.")
    if (!this.#parts.access.hasToken(request)) return this.#refuseToken(request, response)
    response.writeHead(204, {
      ...securityHeaders,
      "cache-control": "no-store",
      "set-cookie": this.#parts.access.open(),
    })
    response.end()
  }

  async #refuseToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = "The page's token is needed: backflow prints where it is."
    if (!Access.showsToken(request)) {
      response.setHeader("www-authenticate", "Bearer")
      return this.#refuse(request, response, "no_token", 401, text)
    }
    if (await this.#parts.refusals.wrongToken()) return answerError(request, response, 401, text)
    response.setHeader("retry-after", "1")
    answerError(request, response, 429, "Too many wrong tokens; try again in a moment.")
  }

  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    reason: RefusalReason,
    status: number,
    error: string,
  ): void {
    this.#parts.refusals.count(reason)
    answerError(request, response, status, error)
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
