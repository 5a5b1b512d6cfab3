import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { ServedConfig } from "../config/load.js"
import { messageOf } from "../errors.js"
import type { Log } from "../telemetry/log.js"
import { Metrics } from "../telemetry/metrics.js"
import { MetricsRecorder } from "../telemetry/metrics-recorder.js"
import type { MetricSample } from "../telemetry/metrics.js"
import { Access } from "./auth/access.js"
import { Api } from "./api/api.js"
import type { PageQueries } from "./api/api.js"
import { LiveFindings } from "./live/live-findings.js"
import { Health } from "./server/health.js"
import { ourHosts } from "./auth/host-names.js"
import { listenHttp } from "./server/http-listener.js"
import { LiveStream } from "./server/live-events.js"
import { LiveOutbound } from "./api/outbound.js"
import { Overviews } from "./api/overview.js"
import type { OverviewPorts } from "./api/overview.js"
import { PageServer } from "./server/page-server.js"
import { pageToken } from "./auth/page-token.js"
import { Refusals } from "./auth/refusals.js"
import { staticFiles } from "./server/static-files.js"

/** What the page shows, from the rest of the analyzer. */
export interface WebPorts extends OverviewPorts {
  readonly queries: PageQueries
}

export interface WebOptions {
  readonly page: ServedConfig
  /** Folder where the token is kept. */
  readonly state: string
  readonly ports: WebPorts
  /** Gets what the analyzer writes. Made before the analyzer, since it is one of its sinks. */
  readonly liveFindings: LiveFindings
  /** The store's; without it metrics are at /metrics alone. */
  readonly insertMetrics?: (samples: readonly MetricSample[], token: string) => Promise<void>
  /** Collectors can connect; true by default. */
  readonly isListening?: () => boolean
  /** Name of this analyzer in the store's metrics; the host's name by default. */
  readonly instance?: string
  /** Folder of the built page. */
  readonly files?: string
  readonly version?: string
  readonly log: Log
}

export interface Web {
  /** "http://127.0.0.1:4480"; empty where page.address is "off". */
  readonly address: string
  /** The address that signs a browser in: the token stands behind #, which is never sent. */
  readonly signInAddress: string
  readonly tokenFile: string
  readonly liveFindings: LiveFindings
  readonly metrics: Metrics
  /** Not ready from now on; the page still answers. To be called when a stop begins. */
  retire(): void
  /** Ends the event streams and closes the listener; requests under way get `graceMs`. */
  stop(graceMs?: number): Promise<void>
}

/** Where `npm run build` of the page puts its files. */
export const builtPage = fileURLToPath(new URL("../../../dashboards/page/dist", import.meta.url))

const healthLookMs = 5_000
const usualGraceMs = 2_000

/**
 * Serves the page, its API, /metrics and the probes. Throws AppError "address-in-use" or "config". Incidents and findings
 * that are open in the store are taken into `liveFindings` meanwhile; where that fails the log says so, and the page fills as
 * things happen.
 */
export async function startWeb(options: WebOptions): Promise<Web> {
  const { page, ports, liveFindings, log } = options
  const version = options.version ?? packageVersion()
  const monotonicMs = () => performance.now()
  const token = pageToken(options.state, page.tokenFile)
  const access = new Access({ token: token.value, secure: page.tls !== undefined, monotonicMs })
  const refusals = new Refusals()
  const alerts = ports.alerts ?? (() => [])
  const outbound = new LiveOutbound({
    views: () => ports.counts().hosts.map(({ view }) => view),
    findingOf: (connection) => liveFindings.findingOf(connection),
    nowUs: ports.nowUs,
    monotonicMs,
  })
  const overviews = new Overviews({ version, startedUs: ports.nowUs(), ports, liveFindings, outbound })
  const live = new LiveStream({ liveFindings, overviews, outbound, onDropped: () => refusals.count("slow_watcher") })
  const { isListening = () => true } = options
  const health = new Health({ counts: () => ports.counts(), alerts, isListening, monotonicMs })
  const metrics: Metrics = new Metrics({
    instance: options.instance ?? hostname(),
    nowUs: ports.nowUs,
    values: {
      version,
      counts: () => ports.counts(),
      alerts,
      findings: () => liveFindings.begun,
      page: () => ({ sessions: access.sessions, refused: refusals.counts }),
      recorderSkipped: () => recorder?.skipped ?? 0,
    },
  })
  const { insertMetrics } = options
  const recorder: MetricsRecorder | undefined =
    insertMetrics && new MetricsRecorder({ samples: () => metrics.samples(), insert: insertMetrics, log })
  const server = new PageServer({
    version,
    access,
    refusals,
    api: new Api({ liveFindings, queries: ports.queries, overviews, outbound }),
    live,
    files: staticFiles(options.files ?? builtPage),
    metrics,
    readiness: () => health.readiness,
    log,
  })
  const listener =
    page.address === "off"
      ? undefined
      : await listenHttp(page, (request, response) => server.handle(request, response)).catch(
          async (thrown: unknown) => {
            await recorder?.stop(0)
            throw thrown
          },
        )
  if (listener !== undefined) server.open({ isTls: listener.isTls, isOurHost: ourHosts(listener.certificate) })
  const healthLook = setInterval(() => health.look(), healthLookMs)
  healthLook.unref()
  await seed(liveFindings, ports, log)
  return {
    address: listener?.address ?? "",
    signInAddress: listener === undefined ? "" : `${listener.address}/#token=${encodeURIComponent(token.value)}`,
    tokenFile: token.file,
    liveFindings,
    metrics,
    retire: () => health.stop(),
    stop: async (graceMs = usualGraceMs) => {
      health.stop()
      clearInterval(healthLook)
      live.close()
      listener?.refuse()
      await recorder?.stop(graceMs)
      await listener?.close(graceMs)
    },
  }
}

/** Open findings of earlier runs that are shown. */
const [seededIncidents, seededFindings] = [10_000, 20_000]

async function seed(liveFindings: LiveFindings, { queries }: WebPorts, log: Log): Promise<void> {
  try {
    liveFindings.seed(await queries.openIncidents(seededIncidents), await queries.openFindings(seededFindings))
  } catch (thrown) {
    log.warn({ error: messageOf(thrown) }, "store query failed, the page starts without earlier findings")
  }
}

function packageVersion(): string {
  const file = join(dirname(fileURLToPath(import.meta.url)), "../../package.json")
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version
}
