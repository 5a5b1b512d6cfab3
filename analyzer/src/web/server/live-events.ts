import type { IncomingMessage, ServerResponse } from "node:http"
import type { LiveEvents, Overview } from "@backflow/page/contract"
import type { FindingJson, IncidentJson } from "../../documents/finding-json.js"
import { securityHeaders } from "./http-responses.js"
import type { LiveFindings } from "../live/live-findings.js"
import { defaultQuery } from "../api/outbound.js"
import type { LiveOutbound } from "../api/outbound.js"
import type { Overviews } from "../api/overview.js"
import { byGravity, findingSummary, incidentSummary } from "../api/summaries.js"

const limits = {
  /** Watchers at once. */
  clients: 32,
  /** What may wait for one watcher, in bytes; one that takes less is dropped. */
  clientBytes: 1_000_000,
  /** Incidents, and findings, sent in one beat; the rest goes with the next ones. */
  changes: 200,
  /** Incidents, and findings, that wait to be sent; the oldest of more is left out, and stands in the lists. */
  waiting: 10_000,
  /** Milliseconds of a beat. */
  beatMs: 250,
} as const

/** Beats between overviews (1 s), looks at outbound connections (2 s), and signs of life (15 s). */
const [overviewBeats, outboundBeats, quietBeats] = [4, 8, 60]

export interface LiveParts {
  readonly live: LiveFindings
  readonly overviews: Overviews
  readonly outbound: LiveOutbound
  /** A watcher was dropped for being slow. */
  readonly onDropped: () => void
}

/** Server-sent events: each change is made into text once and goes to every watcher. Without watchers nothing is computed. */
export class LiveStream {
  readonly #parts: LiveParts
  readonly #clients = new Set<ServerResponse>()
  /** What is to be sent, the latest version alone. */
  readonly #incidents = new Map<string, IncidentJson>()
  readonly #findings = new Map<string, FindingJson>()
  #unsubscribe: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #beat = 0
  #overview = ""
  #outbound = ""

  constructor(parts: LiveParts) {
    this.#parts = parts
  }

  get clients(): number {
    return this.#clients.size
  }

  get isFull(): boolean {
    return this.#clients.size >= limits.clients
  }

  /** Keeps the response open and sends the present state, then what changes. */
  open(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, {
      ...securityHeaders,
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    })
    response.on("error", () => undefined)
    response.once("close", () => this.#remove(response))
    this.#clients.add(response)
    request.socket.setNoDelay(true)
    this.#start()
    response.write(this.#presentState())
  }

  /** Ends every stream with a last event, after which pages reconnect by themselves. */
  close(): void {
    this.#stop()
    for (const client of this.#clients) client.end("retry: 2000\nevent: closing\ndata: {}\n\n")
    this.#clients.clear()
  }

  #presentState(): string {
    const { live, overviews, outbound } = this.#parts
    const gravest = [...live.incidents("open")].sort(byGravity)[0]
    const finding = gravest === undefined ? undefined : live.finding(gravest.findings[0] ?? "")
    return [
      "retry: 2000\n\n",
      eventText("overview", overviews.now()),
      eventText("outbound", outbound.query(defaultQuery)),
      gravest === undefined ? "" : eventText("incident", incidentSummary(gravest)),
      finding === undefined ? "" : this.#findingText(finding),
    ].join("")
  }

  #start(): void {
    if (this.#timer !== undefined) return
    this.#beat = 0
    this.#overview = ""
    this.#outbound = ""
    this.#unsubscribe = this.#parts.live.subscribe({
      incident: (incident) => this.#queue(this.#incidents, incident),
      finding: (finding) => this.#queue(this.#findings, finding),
    })
    this.#timer = setInterval(() => this.#sendChanges(), limits.beatMs)
    this.#timer.unref()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#unsubscribe?.()
    this.#incidents.clear()
    this.#findings.clear()
  }

  #queue<T extends { readonly id: string }>(waiting: Map<string, T>, changed: T): void {
    waiting.set(changed.id, changed)
    const oldest = waiting.keys().next()
    if (waiting.size > limits.waiting && oldest.done !== true) waiting.delete(oldest.value)
  }

  #remove(client: ServerResponse): void {
    this.#clients.delete(client)
    if (this.#clients.size === 0) this.#stop()
  }

  #sendChanges(): void {
    this.#beat += 1
    const parts = [
      ...take(this.#findings, limits.changes).map((finding) => this.#findingText(finding)),
      ...take(this.#incidents, limits.changes).map((one) => eventText("incident", incidentSummary(one))),
    ]
    if (this.#beat % overviewBeats === 0) parts.push(this.#changedOverview())
    if (this.#beat % outboundBeats === 0) parts.push(this.#changedOutbound())
    if (this.#beat % quietBeats === 0) parts.push(": still here\n\n")
    const text = parts.join("")
    if (text !== "") this.#send(Buffer.from(text))
  }

  #send(bytes: Buffer): void {
    for (const client of this.#clients) {
      if (client.writableLength + bytes.length > limits.clientBytes) {
        this.#parts.onDropped()
        client.destroy()
      } else client.write(bytes)
    }
  }

  /** Nothing when all that differs is the clock. */
  #changedOverview(): string {
    const overview = this.#parts.overviews.now()
    const rest: Partial<Overview> = { ...overview, now: "" }
    const text = JSON.stringify(rest)
    if (text === this.#overview) return ""
    this.#overview = text
    return eventText("overview", overview)
  }

  #changedOutbound(): string {
    const text = eventText("outbound", this.#parts.outbound.query(defaultQuery))
    if (text === this.#outbound) return ""
    this.#outbound = text
    return text
  }

  #findingText(finding: FindingJson): string {
    const incident = this.#parts.live.incidentOf(finding.id)?.id ?? null
    return eventText("finding", { ...findingSummary(finding), incident, host: finding.host.name })
  }
}

function eventText<Name extends keyof LiveEvents>(name: Name, value: LiveEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`
}

function take<T>(waiting: Map<string, T>, max: number): T[] {
  const taken: T[] = []
  for (const [key, value] of waiting) {
    if (taken.length >= max) break
    waiting.delete(key)
    taken.push(value)
  }
  return taken
}
