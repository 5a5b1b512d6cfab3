import { request } from "node:http"
import type { IncomingHttpHeaders } from "node:http"
import type { ServedConfig } from "../config/load.js"
import type { Log } from "../telemetry/log.js"
import { createLogger } from "../telemetry/logger.js"
import { Metrics, StoredLatency } from "../telemetry/metrics.js"
import { pageAuth } from "../web/auth/page-auth.js"
import { LiveFindings, defaultLiveFindingsLimits } from "../web/live/live-findings.js"
import { startWeb } from "../web/start.js"
import type { Web } from "../web/start.js"
import type { PageQueries } from "../web/api/api.js"
import type { AnalyzerStatus } from "../telemetry/status.js"
import { startUs } from "./time.js"
import { aStatus } from "./status.js"

/** Complete values for tests of the page, each with what the test names put in its place. */

/** A store that knows nothing, but for what the test gives it. */
export function theStore(changes: Partial<PageQueries> = {}): PageQueries {
  return {
    finding: () => Promise.resolve(undefined),
    incident: () => Promise.resolve(undefined),
    incidentOf: () => Promise.resolve(undefined),
    coupling: () => Promise.resolve([]),
    openIncidents: () => Promise.resolve([]),
    openFindings: () => Promise.resolve([]),
    incidents: () => Promise.resolve([]),
    ...changes,
  }
}

interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request over a socket of its own, with any headers, the Host included. */
export function ask(
  address: string,
  path: string,
  options: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  } = {},
): Promise<Got> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: hostname, port, path, method: options.method ?? "GET", headers: options.headers ?? {}, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("error", reject)
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        )
      },
    )
    sent.on("error", reject)
    sent.end(options.body)
  })
}

interface PageParts {
  readonly web: Web
  readonly live: LiveFindings
  readonly metrics: Metrics
}

/** The page of an analyzer that stands as `analyzer` says, on a free port of loopback; its token is in `state`. */
export async function aPage(
  state: string,
  changes: {
    readonly analyzer?: () => AnalyzerStatus
    readonly queries?: PageQueries
    readonly page?: Partial<ServedConfig>
    readonly files?: string
    readonly log?: Log
  } = {},
): Promise<PageParts> {
  const page: ServedConfig = { address: "127.0.0.1:0", tls: undefined, tokenFile: undefined, ...changes.page }
  const analyzer = changes.analyzer ?? (() => aStatus())
  const auth = pageAuth(page, state)
  const live = new LiveFindings(defaultLiveFindingsLimits)
  const nowUs = () => startUs
  const alerts = () => []
  const metrics = new Metrics({
    instance: "a",
    nowUs,
    storedLatency: new StoredLatency(nowUs),
    values: {
      version: "0.1.0",
      analyzer,
      alerts,
      findings: () => live.begun,
      eventLoopStall: () => 0,
      page: () => ({ sessions: auth.access.sessions, refused: auth.refusals.counts }),
    },
  })
  const web = await startWeb({
    page,
    auth,
    ports: { analyzer, alerts, queries: changes.queries ?? theStore(), isListening: () => true, nowUs },
    live,
    metrics,
    files: changes.files ?? state,
    version: "0.1.0",
    log: changes.log ?? createLogger({ level: "error", stream: process.stderr, words: true }),
  })
  return { web, live, metrics }
}
