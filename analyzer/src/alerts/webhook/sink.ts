import { Agent as HttpAgent, request as requestHttp } from "node:http"
import { Agent, request as requestHttps } from "node:https"
import type { RequestOptions } from "node:https"
import { messageOf } from "../../errors.js"
import { alertId } from "../outbox/alert.js"
import type { Alert } from "../outbox/alert.js"
import { AlertSinkError, AlertsRefused } from "../publish/alert-sink.js"
import type { AlertSink, Refusal } from "../publish/alert-sink.js"
import type { AlertMessage, Formatter } from "../formats/formatter.js"

export interface WebhookOptions {
  readonly url: string
  /** Bearer token. */
  readonly token: string | undefined
  /** Certificate authority of the server, instead of the system's. */
  readonly authority: Buffer | undefined
  /** Limit for the whole response, in milliseconds. */
  readonly responseMs: number
}

/**
 * Requests under way at once, each of another finding. A send has no more: of a receiver that takes 0.2 s, an alert that comes
 * graver than all that wait is with it after 0.4 s, however many those are.
 */
const parallel = 8
/** 4xx that are retried: sign-in and address may be mended at the other end; timeout, too early, too many. */
const retried = new Set([401, 403, 404, 408, 425, 429])

/**
 * Alerts as HTTP POST, one a request: CloudEvents in binary mode, attributes as `ce-` headers. Those of one finding go one
 * after the other. 2xx is taken; 5xx and some 4xx are retried; any other 4xx is a refusal of that one alert. Redirections are
 * not followed.
 */
export class WebhookSink implements AlertSink {
  readonly name = "webhook"
  readonly maxAlerts = parallel
  readonly #options: WebhookOptions
  readonly #url: URL
  readonly #agent: HttpAgent
  readonly #format: Formatter
  /** Taken in a send of which another part failed: not sent again with it. */
  readonly #taken = new Set<string>()

  constructor(options: WebhookOptions, format: Formatter) {
    this.#options = options
    this.#url = new URL(options.url)
    this.#format = format
    const shared = { keepAlive: true, maxSockets: parallel }
    this.#agent =
      this.#url.protocol === "https:"
        ? new Agent({ ...shared, ...(options.authority && { ca: options.authority }) })
        : new HttpAgent(shared)
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    const refusals: Refusal[] = []
    const queues = byFinding(alerts)
    const work = Array.from({ length: parallel }, async () => {
      for (let queue = queues.shift(); queue !== undefined; queue = queues.shift()) {
        for (const alert of queue) await this.#sendOne(alert, refusals)
      }
    })
    const results = await Promise.allSettled(work)
    for (const result of results) if (result.status === "rejected") throw result.reason
    this.#taken.clear()
    if (refusals.length > 0) throw new AlertsRefused("the server refused alerts", refusals)
  }

  close(): Promise<void> {
    this.#agent.destroy()
    return Promise.resolve()
  }

  async #sendOne(alert: Alert, refusals: Refusal[]): Promise<void> {
    const id = alertId(alert)
    if (this.#taken.has(id)) return
    const status = await this.#post(this.#format(alert))
    if (status >= 200 && status < 300) this.#taken.add(id)
    else if (status >= 400 && status < 500 && !retried.has(status)) {
      refusals.push({ alert, reason: `${this.#url.host} responded ${status}` })
    } else throw new AlertSinkError(`${this.#url.host} responded ${status}${hints[status] ?? ""}`)
  }

  #post({ attributes, body }: AlertMessage): Promise<number> {
    const { token, responseMs } = this.#options
    const headers: Record<string, string> = {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    }
    for (const [name, value] of Object.entries(attributes)) headers[`ce-${name}`] = headerText(value)
    const options: RequestOptions = { method: "POST", agent: this.#agent, headers, timeout: responseMs }
    return new Promise((resolve, reject) => {
      const open = this.#url.protocol === "https:" ? requestHttps : requestHttp
      const fail = (thrown: Error) => {
        reject(new AlertSinkError(`${this.#url.host} is unreachable: ${messageOf(thrown)}`))
      }
      const request = open(this.#url, options, (response) => {
        response.resume()
        response.on("error", fail)
        response.on("end", () => resolve(response.statusCode ?? 0))
      })
      // Of the whole response, while `timeout` is of silence alone.
      const deadline = setTimeout(
        () => request.destroy(new Error(`timeout: no response in ${responseMs} ms`)),
        responseMs,
      )
      request.on("timeout", () => request.destroy(new Error(`timeout: no response in ${responseMs} ms`)))
      request.on("error", fail)
      request.on("close", () => clearTimeout(deadline))
      request.end(body)
    })
  }
}

function byFinding(alerts: readonly Alert[]): (readonly Alert[])[] {
  const queues = new Map<string, Alert[]>()
  for (const alert of alerts) {
    const queue = queues.get(alert.finding.id)
    if (queue === undefined) queues.set(alert.finding.id, [alert])
    else queue.push(alert)
  }
  return [...queues.values()]
}

const hints: Readonly<Record<number, string>> = {
  401: ": see alerts.webhook.token_file",
  403: ": see alerts.webhook.token_file",
  404: ": see alerts.webhook.url",
}

/** CloudEvents HTTP binding 3.1.3.2: what is not printable ASCII, and the per cent sign and quote, is percent-encoded. */
function headerText(value: string): string {
  return value.replace(/[^\u0021-\u007e]|["%]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  )
}
