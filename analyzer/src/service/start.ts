import { join } from "node:path"
import { randomUUID } from "node:crypto"
import { startAlerts } from "../alerts/start.js"
import { DurableLine } from "../alerts/durable-line.js"
import { defaults } from "../config/defaults.js"
import type { Config } from "../config/load.js"
import { Networks } from "../domain/networks.js"
import { AppError, messageOf } from "../errors.js"
import type { Log } from "../telemetry/log.js"
import { startAnalyzer } from "./analyzer.js"
import { ConsoleSink } from "../sinks/console-sink.js"
import { JsonlSink } from "../sinks/jsonl-sink.js"
import type { Sink } from "../sinks/sink.js"
import { StoreSink } from "../store/store-sink.js"
import { stagesFor } from "../pipeline/stages.js"
import { openConfiguredStore } from "../store/from-config.js"
import { serveQueries } from "../store/read/query-server.js"
import { serveStore } from "../store/http/serve-store.js"
import type { ServedStore } from "../store/http/serve-store.js"
import { takeStateFolder } from "../store/state-folder.js"
import type { Store } from "../store/store.js"
import { LiveFindings } from "../web/live/live-findings.js"
import { startWeb } from "../web/start.js"
import type { Web } from "../web/start.js"
import type { Arguments } from "../command/arguments.js"
import { credentials } from "./collector-credentials.js"
import type { PageAddress } from "../command/up/ready-text.js"
import { version } from "../config/version.js"
import type { Terminal } from "../command/terminal.js"
import type { AnalyzerStatus, AlertStatus } from "../telemetry/status.js"

/** How often the size of the store is looked at, in milliseconds. */
const quotaCheckMs = 300_000

/** Findings of earlier runs whose versions go on; about 100 bytes of memory each. */
const maxEarlierFindings = 100_000

/** What a stop waits for brokers to take, in milliseconds. */
const farewellMs = 5_000

/** Undoes one step; they run in the reverse order of the steps. */
export type Undo = () => Promise<unknown> | undefined

/** What runs, until it is stopped. */
export interface Service {
  /** What collectors dial. */
  readonly address: string
  /** Undefined where the configuration turned it off. */
  readonly page: PageAddress | undefined
  /** Where ClickHouse clients read the embedded store; undefined where nobody asked for it. */
  readonly sql: ServedStore | undefined
  counts(): AnalyzerStatus
  alerts(): readonly AlertStatus[]
  /** Writes what is under way, within `graceMs`; false when not everything is durable. Once, however often it is asked. */
  stop(graceMs: number): Promise<boolean>
}

/** Everything but the collector: state folder, store, alerts, page and the analyzer between them. */
export async function startService(
  args: Arguments,
  config: Config,
  terminal: Terminal,
  log: Log,
  undo: Undo[],
): Promise<Service> {
  const { nowUs } = terminal
  const folder = takeStateFolder(config.state)
  undo.push(() => {
    folder.release()
    return undefined
  })
  const store = await openConfiguredStore(config)
  undo.push(() => store.close())
  const front = await serveSql(config)
  undo.push(() => front?.close())
  const queries = await serveQueries(config.state, store.queries)
  undo.push(() => queries.close())
  undo.push(watchQuota(store, config.store.quotaBytes, log))
  const nowMs = () => nowUs() / 1_000
  const alerts = once(await startAlerts(config.alerts, { state: config.state, log, nowMs, version: version() }))
  undo.push(() => alerts.stop(0))
  const board = new LiveFindings()
  // The page needs the analyzer, and the analyzer's batches are timed by the page's metrics.
  const served: { web?: Web } = {}
  const storeSink = new StoreSink(store, nowUs)
  const running = await startAnalyzer(
    { listen: listenAddress(args, config), networks: new Networks(config.networks), ...credentials(config) },
    {
      stages: stagesFor(config, await store.findingVersions(maxEarlierFindings)),
      store: alerts.sink === undefined ? storeSink : new DurableLine(alerts.sink, storeSink),
      sinks: [...(await sinksFor(args.values["findings-jsonl"], terminal)), board],
      log,
      nowUs,
      onStored: (eventUs) => served.web?.metrics.stored(eventUs),
    },
  )
  const analyzer = once(running)
  undo.push(() => analyzer.stop(defaults.stopSeconds.value * 1_000))
  const web = await startWeb({
    page: config.page,
    state: config.state,
    ports: {
      counts: () => analyzer.counts(),
      queries: store.queries,
      alerts: () => alerts.counts().map((counts) => ({ sink: counts.name, ...counts })),
      nowUs,
    },
    liveFindings: board,
    insertMetrics: (samples) => store.insertMetrics(samples, `metrics-${randomUUID()}`),
    version: version(),
    log,
  })
  served.web = web
  const all = once({ stop: (graceMs: number) => stopAll(graceMs, analyzer, alerts, web) })
  undo.push(() => all.stop(defaults.stopSeconds.value * 1_000))
  return {
    address: analyzer.address,
    page: web.address === "" ? undefined : web,
    sql: front,
    counts: () => analyzer.counts(),
    alerts: () => alerts.counts(),
    stop: (graceMs) => all.stop(graceMs),
  }
}

async function stopAll(
  graceMs: number,
  analyzer: Stopped<boolean>,
  alerts: Stopped<boolean>,
  web: Web,
): Promise<boolean> {
  const deadlineMs = performance.now() + graceMs
  web.retire()
  const isWritten = await analyzer.stop(graceMs)
  // What does not leave now is on disk, and leaves after the next start.
  await alerts.stop(Math.min(farewellMs, Math.max(0, deadlineMs - performance.now())))
  await web.stop()
  return isWritten
}

interface Stopped<Result> {
  stop(graceMs: number): Promise<Result>
}

/** The same, stopped once however often it is asked to: an orderly end and the clearing up after it both ask. */
function once<Part extends Stopped<boolean>>(part: Part): Part {
  let stopped: Promise<boolean> | undefined
  return { ...part, stop: (graceMs: number) => (stopped ??= part.stop(graceMs)) }
}

/** A server answers its own clients; the embedded store answers through this process, which holds it. */
function serveSql({ state, store }: Config): Promise<ServedStore | undefined> {
  const { serve, database, memoryBytes, querySeconds } = store
  if (store.url === undefined) return serveStore({ state, database, serve, limits: { memoryBytes, querySeconds } })
  if (serve.address === undefined || serve.address === "off") return Promise.resolve(undefined)
  throw new AppError(
    "config",
    "store.serve is for the embedded store, and store.url names a server",
    "Point ClickHouse clients and Grafana at the server, and leave store.serve out.",
  )
}

/** A collector on this host needs no port: `up` listens beside its state unless it is told otherwise. */
function listenAddress({ command }: Arguments, { listen, state }: Config): string {
  return (
    listen.address ?? (command.name === "up" ? `unix:${join(state, "collector.sock")}` : defaults.listenAddress.value)
  )
}

function watchQuota(store: Store, quotaBytes: number, log: Log): Undo {
  const timer = setInterval(() => {
    store.enforceQuota(quotaBytes).then(
      (days) =>
        days.length > 0 && log.warn({ days }, "dropped the oldest days of connections: store.quota_bytes is reached"),
      (thrown: unknown) => log.warn({ error: messageOf(thrown) }, "the size of the store could not be checked"),
    )
  }, quotaCheckMs)
  return () => {
    clearInterval(timer)
    return undefined
  }
}

async function sinksFor(jsonl: string | undefined, terminal: Terminal): Promise<Sink[]> {
  if (jsonl === undefined) return [new ConsoleSink(process.stdout, terminal.colour)]
  if (jsonl === "-") return [JsonlSink.toStream(process.stdout), new ConsoleSink(process.stderr, false)]
  try {
    return [await JsonlSink.toFile(jsonl), new ConsoleSink(process.stdout, terminal.colour)]
  } catch (thrown) {
    throw new AppError(
      "config",
      `--findings-jsonl cannot be written: ${messageOf(thrown)}.`,
      "Name a file in a folder that exists.",
      { cause: thrown },
    )
  }
}
