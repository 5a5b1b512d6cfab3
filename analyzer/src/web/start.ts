import { fileURLToPath } from "node:url"
import { defaultPageAddress } from "../config/listen-schema.js"
import type { ServedConfig } from "../config/load.js"
import { AppError, messageOf } from "../errors.js"
import { listenHttp } from "../http/listener.js"
import type { Handler, HttpListener } from "../http/listener.js"
import type { Log } from "../telemetry/log.js"
import type { Metrics } from "../telemetry/metrics.js"
import { Api } from "./api/api.js"
import type { PageQueries } from "./api/api.js"
import { LiveOutbound } from "./api/outbound.js"
import { Overviews } from "./api/overview.js"
import type { OverviewPorts } from "./api/overview.js"
import { ourHosts } from "./auth/host-names.js"
import type { PageAuth } from "./auth/page-auth.js"
import { Health } from "./server/health.js"
import type { LiveFindings } from "./live/live-findings.js"
import { LiveStream } from "./server/live-events.js"
import { PageServer } from "./server/page-server.js"
import { staticFiles } from "./server/static-files.js"

/** What the page shows, from the rest of the analyzer. */
export interface WebPorts extends OverviewPorts {
  readonly queries: PageQueries
  /** Collectors can connect. */
  readonly isListening: () => boolean
}

export interface WebOptions {
  readonly page: ServedConfig
  readonly auth: PageAuth
  readonly ports: WebPorts
  /** Gets what the analyzer writes, as one of its sinks. */
  readonly live: LiveFindings
  readonly metrics: Pick<Metrics, "contentType" | "text">
  /** Folder of the built page. */
  readonly files: string
  readonly version: string
  readonly log: Log
}

export interface Web {
  /** "http://127.0.0.1:4480"; empty where page.address is "off". */
  readonly address: string
  /** The address that signs a browser in: the token stands behind #, which is never sent. */
  readonly signInAddress: string
  readonly tokenFile: string
  /** Not ready from now on; the page still responds. To be called when a stop begins. */
  retire(): void
  /** Ends live streams and closes the listener; requests under way get `graceMs`. */
  stop(graceMs: number): Promise<void>
}

/** Where `npm run build` of the page puts its files. */
export const builtPage = fileURLToPath(new URL("../../../dashboards/page/dist", import.meta.url))

const healthCheckMs = 5_000
/** A browser opens up to six connections. */
const limits = { connections: 256, headersMs: 10_000, headerBytes: 8_192 }

/**
 * Serves the page, its API, /metrics and the probes. Throws AppError "address-in-use" or "config". Incidents and findings
 * that are open in the store are taken into `live` first; where that fails the log says so, and the page fills as things
 * happen.
 */
export async function startWeb({ page, auth, ports, live, metrics, files, version, log }: WebOptions): Promise<Web> {
  const { access, refusals, token } = auth
  const monotonicMs = () => performance.now()
  const outbound = new LiveOutbound({
    views: () => ports.analyzer().hosts.map(({ view }) => view),
    findingOf: (connection) => live.findingOf(connection),
    nowUs: ports.nowUs,
    monotonicMs,
  })
  const overviews = new Overviews({ version, startedUs: ports.nowUs(), ports, live, outbound })
  const stream = new LiveStream({ live, overviews, outbound, onDropped: () => refusals.count("slow_watcher") })
  const health = new Health({ ...ports, monotonicMs })
  const server = new PageServer({
    version,
    access,
    refusals,
    api: new Api({ live, queries: ports.queries, overviews, outbound }),
    live: stream,
    files: staticFiles(files),
    metrics,
    readiness: () => health.readiness,
    log,
  })
  await seed(live, ports, log)
  const listener =
    page.address === "off"
      ? undefined
      : await listenForPage(page, server.handle, () => refusals.count("too_many_connections"))
  if (listener !== undefined) server.open({ isTls: page.tls !== undefined, isOurHost: ourHosts(listener.certificate) })
  const healthCheck = setInterval(() => health.look(), healthCheckMs)
  healthCheck.unref()
  return {
    address: listener?.url ?? "",
    signInAddress: listener === undefined ? "" : `${listener.url}/#token=${encodeURIComponent(token.value)}`,
    tokenFile: token.file,
    retire: () => health.stop(),
    stop: async (graceMs) => {
      health.stop()
      clearInterval(healthCheck)
      stream.close()
      listener?.refuse()
      await listener?.close(graceMs)
    },
  }
}

/** Listens where the configuration says. Where nobody chose a port and the usual one is in use, on any free one of loopback. */
async function listenForPage(
  { address, tls }: ServedConfig,
  handler: Handler,
  onDropped: () => void,
): Promise<HttpListener> {
  const listenOn = (chosen: string) => listenHttp({ setting: "page", address: chosen, tls, limits, onDropped }, handler)
  if (address !== undefined) return listenOn(address)
  try {
    return await listenOn(defaultPageAddress)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "address-in-use") return listenOn("127.0.0.1:0")
    throw thrown
  }
}

/** Open findings of earlier runs that are shown. */
const [seededIncidents, seededFindings] = [10_000, 20_000]

async function seed(live: LiveFindings, { queries }: WebPorts, log: Log): Promise<void> {
  try {
    live.seed(await queries.openIncidents(seededIncidents), await queries.openFindings(seededFindings))
  } catch (thrown) {
    log.warn({ error: messageOf(thrown) }, "store query failed, the page starts without earlier findings")
  }
}
