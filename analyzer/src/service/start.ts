import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { join } from "node:path"
import { OutboxThenStore } from "../alerts/outbox-then-store.js"
import { startAlerts } from "../alerts/start.js"
import type { Config } from "../config/load.js"
import { tokenIn } from "../config/secrets.js"
import { version } from "../config/version.js"
import type { Microseconds } from "../domain/identity.js"
import { Networks } from "../domain/networks.js"
import { AppError, messageOf } from "../errors.js"
import { stagesFor } from "../pipeline/stages.js"
import { openConfiguredStore } from "../store/from-config.js"
import { serveStore } from "../store/http/serve-store.js"
import type { ServedStore } from "../store/http/serve-store.js"
import { serveQueries } from "../store/read/query-server.js"
import { takeStateFolder } from "../store/state-folder.js"
import { StoreSink } from "../store/store-sink.js"
import type { Store } from "../store/store.js"
import type { Log } from "../telemetry/log.js"
import { EventLoopStall } from "../telemetry/event-loop-stall.js"
import { MetricsRecorder } from "../telemetry/metrics-recorder.js"
import { Metrics, StoredLatency } from "../telemetry/metrics.js"
import type { AlertStatus, AnalyzerStatus } from "../telemetry/status.js"
import { pageAuth } from "../web/auth/page-auth.js"
import { LiveFindings, defaultLiveFindingsLimits } from "../web/live/live-findings.js"
import { builtPage, startWeb } from "../web/start.js"
import type { ServiceAddresses } from "./addresses.js"
import { Analyzer, defaultAnalyzerLimits } from "./analyzer.js"
import { credentials } from "./collector-credentials.js"
import { startCollector } from "./collector/start.js"
import type { CollectorEvents } from "./collector/start.js"
import { findingSinks } from "./finding-sinks.js"
import type { FindingsOutput } from "./finding-sinks.js"
import { hostProofs } from "../telemetry/host-proofs.js"
import { serveProofs } from "./prove/proof-socket.js"
import { Teardown } from "./teardown.js"

/** How often the size of the store is checked, in milliseconds. */
const quotaCheckMs = 300_000

/** Findings of earlier runs whose versions go on; about 100 bytes of memory each. */
const maxEarlierFindings = 100_000

/** What a stop waits for brokers to take, in milliseconds. What they do not take is on disk, and leaves after the next start. */
const alertDrainMs = 5_000

/** What undoing a start that failed may take, in milliseconds. */
const failedStartMs = 5_000

export interface ServiceOptions {
  readonly config: Config
  /** Where collectors connect: "unix:/path" or "127.0.0.1:4410". */
  readonly listen: string
  readonly findings: FindingsOutput
  /** Folder for recordings of what collectors send; none are made without it. */
  readonly record: string | undefined
  /** The collector of this host, which then runs as a child of this process. */
  readonly collector: ((addresses: ServiceAddresses) => CollectorEvents) | undefined
  readonly log: Log
  /** Wall clock, microseconds since the epoch. */
  readonly nowUs: () => Microseconds
}

export interface ServiceEnd {
  /** Everything that was received is durable. */
  readonly isWritten: boolean
  /** The collector's last batches were acknowledged; true without one. */
  readonly isHandedOver: boolean
}

/** What runs, until it is stopped. */
export interface Service {
  readonly addresses: ServiceAddresses
  /** Rejects when the collector of this host fails before it ever observed; resolves after a stop. Pending without one. */
  readonly running: Promise<void>
  status(): AnalyzerStatus
  alerts(): readonly AlertStatus[]
  /** Writes what is under way, within `graceMs`. Once, however often it is called. */
  stop(graceMs: number): Promise<ServiceEnd>
}

/**
 * The composition root: makes every part in order, hands it what it needs, and undoes all of it in reverse, each once. What
 * two parts need is made before both. Rejects with AppError, with nothing left running.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const teardown = new Teardown()
  try {
    return await build(options, teardown)
  } catch (thrown) {
    await teardown.run(failedStartMs)
    throw thrown
  }
}

async function build(options: ServiceOptions, teardown: Teardown): Promise<Service> {
  const { config, log, nowUs } = options
  const { state } = config
  let end: ServiceEnd = { isWritten: true, isHandedOver: true }

  const folder = takeStateFolder(state)
  teardown.add(() => folder.release())
  const store = await openConfiguredStore(config)
  teardown.add(() => store.close())
  const sql = await serveSql(config)
  teardown.add(() => sql?.close())
  const queries = await serveQueries(state, store.queries)
  teardown.add(() => queries.close())
  const quota = setInterval(() => enforceQuota(store, config.store.quotaBytes, log), quotaCheckMs)
  teardown.add(() => clearInterval(quota))

  const alerts = await startAlerts(config.alerts, { state, log, nowMs: () => nowUs() / 1_000, version: version() })
  teardown.add((leftMs) => alerts.stop(Math.min(alertDrainMs, leftMs)))
  const terminal = await findingSinks(options.findings)
  teardown.add(() => Promise.all(terminal.map(async (sink) => sink.close?.())))
  const live = new LiveFindings(defaultLiveFindingsLimits)
  const storedLatency = new StoredLatency(nowUs)
  const analyzer = new Analyzer(
    {
      listen: options.listen,
      networks: new Networks(config.networks),
      record: options.record,
      proofIntervalUs: config.proof.intervalMinutes * 60_000_000,
      proofKey: tokenIn("proof", undefined, join(state, "proof-key")).value,
      limits: defaultAnalyzerLimits,
      ...credentials(options.listen, config),
    },
    {
      stages: stagesFor(config, await store.findingVersions(maxEarlierFindings)),
      store: new OutboxThenStore(alerts.queues, new StoreSink(store, nowUs)),
      sinks: [...terminal, live],
      log,
      nowUs,
      nowMs: () => performance.now(),
      onStored: (eventUs) => storedLatency.observe(eventUs),
    },
  )

  const proofs = await serveProofs(state, {
    prove: (host) => analyzer.prove(host),
    hosts: () => hostProofs(analyzer.status()),
  })
  teardown.add(() => proofs.close())
  const stall = new EventLoopStall()
  teardown.add(() => stall.stop())
  const auth = pageAuth(config.page, state)
  const metrics = new Metrics({
    instance: hostname(),
    nowUs,
    storedLatency,
    values: {
      version: version(),
      analyzer: () => analyzer.status(),
      alerts: () => alerts.status(),
      findings: () => live.begun,
      eventLoopStall: () => stall.seconds,
      page: () => ({ sessions: auth.access.sessions, refused: auth.refusals.counts }),
    },
  })
  const insert: Store["insertMetrics"] = (samples) => store.insertMetrics(samples, `metrics-${randomUUID()}`)
  const recorder = new MetricsRecorder({ metrics, insert, log })
  teardown.add((leftMs) => recorder.stop(Math.min(2_000, leftMs)))
  const web = await startWeb({
    page: config.page,
    auth,
    ports: {
      analyzer: () => analyzer.status(),
      queries: store.queries,
      alerts: () => alerts.status(),
      isListening: () => analyzer.isListening,
      nowUs,
    },
    live,
    metrics,
    files: builtPage,
    version: version(),
    log,
  })
  teardown.add((leftMs) => web.stop(Math.min(2_000, leftMs)))

  await analyzer.start()
  teardown.add(async (leftMs) => {
    end = { ...end, isWritten: false }
    end = { ...end, isWritten: await analyzer.stop(leftMs) }
  })
  const addresses: ServiceAddresses = {
    collectors: analyzer.address,
    page: web.address === "" ? undefined : web,
    sql,
  }
  const collector = options.collector && (await startCollector(options.collector(addresses), config, analyzer.address))
  if (collector !== undefined)
    teardown.add(async (leftMs) => {
      // First it hands over what it has, and the analyzer acknowledges it.
      end = { ...end, isHandedOver: await collector.stop(leftMs) }
    })
  teardown.add(() => web.retire())

  return {
    addresses,
    running: collector?.running ?? new Promise<void>(() => undefined),
    status: () => analyzer.status(),
    alerts: () => alerts.status(),
    stop: async (graceMs) => {
      await teardown.run(graceMs)
      return end
    },
  }
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

function enforceQuota(store: Store, quotaBytes: number, log: Log): void {
  store.enforceQuota(quotaBytes).then(
    (days) =>
      days.length > 0 && log.warn({ days }, "dropped the oldest days of connections: store.quota_bytes is reached"),
    (thrown: unknown) => log.warn({ error: messageOf(thrown) }, "checking the size of the store failed"),
  )
}
