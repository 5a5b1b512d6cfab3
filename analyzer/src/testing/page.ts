import { request } from "node:http"
import type { IncomingHttpHeaders } from "node:http"
import { HostTracker } from "../connections/host-tracker.js"
import { emptyBatch } from "./detector-run.js"
import type { ConnectionUpdate } from "../domain/connection.js"
import { Networks } from "../domain/networks.js"
import type { Finding } from "../domain/finding.js"
import type { HostFacts } from "../domain/identity.js"
import type { Incident } from "../domain/incident.js"
import type { CouplingPoint } from "../domain/coupling.js"
import type { Output } from "../domain/output.js"
import type { ProcessFacts } from "../domain/identity.js"
import { aHost, sampleUs } from "./outputs.js"
import type { ServedConfig } from "../config/load.js"
import type { Log } from "../telemetry/log.js"
import { createLogger } from "../telemetry/logger.js"
import { Metrics, StoredLatency } from "../telemetry/metrics.js"
import { pageAuth } from "../web/auth/page-auth.js"
import { LiveFindings } from "../web/live/live-findings.js"
import { startWeb } from "../web/start.js"
import type { Web } from "../web/start.js"
import type { PageQueries } from "../web/api/api.js"
import type { AlertStatus, AnalyzerStatus, SessionCounts, SessionStatus } from "../telemetry/status.js"
import { nothingLost } from "../domain/lost.js"

/** Complete values for tests of the page, each with what the test names put in its place. */

/** A real host state with these live connections. */
export function aView(
  connections: readonly ConnectionUpdate[],
  processes: readonly ProcessFacts[] = [],
  host: HostFacts = aHost(),
): HostTracker {
  const state = new HostTracker(host, new Networks())
  const changes = state.apply({ ...emptyBatch(1, sampleUs), connections: [...connections], processes: [...processes] })
  while (changes.next().done !== true);
  return state
}

export function aState(changes: Partial<AnalyzerStatus> = {}): AnalyzerStatus {
  return {
    streams: 0,
    intake: { messages: 0, bytes: 0 },
    rejected: [],
    sessions: [],
    hosts: [],
    deliveries: [],
    ...changes,
  }
}

/** One run of the collector of `aHost`. */
export function aSession(counts: Partial<SessionCounts> = {}, changes: Partial<SessionStatus> = {}): SessionStatus {
  const { hostName, hostId, bootId } = aHost()
  const none = { batches: 0, duplicates: 0, missing: 0, lost: undefined }
  return { host: hostName, hostId, bootId, connected: true, counts: { ...none, ...counts }, ...changes }
}

export function anAlertState(changes: Partial<AlertStatus> = {}): AlertStatus {
  return {
    name: "kafka",
    condition: { state: "ok", text: "" },
    depth: 0,
    bytes: 0,
    limitBytes: 1_000_000,
    oldestSeconds: 0,
    published: 9,
    errors: 0,
    shed: 0,
    refused: 0,
    torn: 0,
    ...changes,
  }
}

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

export function outputWith(
  parts: {
    readonly findings?: readonly Finding[]
    readonly incidents?: readonly Incident[]
    readonly couplings?: readonly CouplingPoint[]
  },
  seq = 1,
): Output {
  const host = aHost()
  return {
    host,
    seq,
    token: `${host.hostId}:${host.bootId}:${host.instance}:${seq}`,
    lost: nothingLost,
    connections: [],
    findings: parts.findings ?? [],
    incidents: parts.incidents ?? [],
    couplings: parts.couplings ?? [],
    report: undefined,
  }
}

export interface Got {
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

export interface PageParts {
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
  const analyzer = changes.analyzer ?? (() => aState())
  const auth = pageAuth(page, state)
  const live = new LiveFindings()
  const nowUs = () => sampleUs
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
