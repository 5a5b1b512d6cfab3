import { Delivery, defaultDeliveryLimits } from "../sinks/delivery.js"
import type { DeliveryLimits } from "../sinks/delivery.js"
import type { Microseconds } from "../domain/identity.js"
import type { Networks } from "../domain/networks.js"
import { Hosts } from "../pipeline/hosts.js"
import { Intake } from "../ingest/server/intake.js"
import type { IntakeLimits } from "../ingest/server/intake.js"
import { Recorder } from "../ingest/server/recording.js"
import { Rejections } from "../ingest/decode/rejections.js"
import { CollectorServer } from "../ingest/server/server.js"
import type { Received } from "../ingest/server/server.js"
import type { CollectorSession } from "../ingest/server/session.js"
import { Sessions } from "../ingest/server/sessions.js"
import type { TlsFiles } from "../ingest/server/listener.js"
import type { TrackerLimits } from "../connections/limits.js"
import type { Log } from "../telemetry/log.js"
import type { Stages } from "../pipeline/host-pipeline.js"
import { Runner } from "./runner.js"
import type { Sink } from "../sinks/sink.js"
import type { AnalyzerStatus, SessionStatus } from "../telemetry/status.js"

export interface AnalyzerConfig {
  /** "unix:/path", "127.0.0.1:4319", "[::1]:4319". */
  readonly listen: string
  readonly tls?: TlsFiles | undefined
  /** Bearer token that collectors must send. */
  readonly token?: string | undefined
  readonly networks: Networks
  /** Folder for recordings of what collectors send. */
  readonly record?: string | undefined
  readonly streams?: number
  readonly intake?: IntakeLimits
  readonly delivery?: Partial<DeliveryLimits>
  readonly trackerLimits?: TrackerLimits
}

export interface AnalyzerPorts {
  readonly stages: Stages
  /** The durable sink: a batch is acknowledged when its write has resolved. */
  readonly store: Sink
  /** Told of findings and incidents; their failures stop nothing. */
  readonly sinks: readonly Sink[]
  readonly log: Log
  /** Wall clock, microseconds since the epoch: only to judge collectors' clocks and silence. */
  readonly nowUs: () => number
  /** Called when a batch is durable, with its event time: how long that took is what a person waits for. */
  readonly onStored?: (eventUs: Microseconds) => void
}

export interface Analyzer {
  /** What collectors dial, in the form of `listen`. */
  readonly address: string
  counts(): AnalyzerStatus
  /**
   * Takes no more, writes what it has, says goodbye. What is not durable within `graceMs` stays unacknowledged, and its
   * collector sends it again; false then.
   */
  stop(graceMs?: number): Promise<boolean>
}

const defaultStreams = 256
const defaultIntake: IntakeLimits = { messages: 1_024, bytes: 64 * 1024 * 1024 }
/** Batches that one collector may have under way: at 5 batches a second, more than ten seconds without an answer. */
const largestWindow = 64
const silenceCheckMs = 60_000
const defaultGraceMs = 30_000

/** The analyzer process without its command line: everything is built here, and nowhere else is it known how it fits. */
export async function startAnalyzer(config: AnalyzerConfig, ports: AnalyzerPorts): Promise<Analyzer> {
  const { log, nowUs, stages } = ports
  const { networks } = config
  const intakeLimits = config.intake ?? defaultIntake
  const intake = new Intake<Received>(intakeLimits, ({ stream, bytes }) => stream.taken(bytes.length))
  const rejections = new Rejections()
  const sessions = new Sessions()
  const lines = new Hosts({
    networks,
    stages,
    ...(config.trackerLimits && { trackerLimits: config.trackerLimits }),
  })
  const limits = { ...defaultDeliveryLimits, ...config.delivery }
  const store = new Delivery(ports.store, log, limits)
  // A finding is told at once: only the store gains from waiting for more.
  const others = ports.sinks.map((sink) => new Delivery(sink, log, { ...limits, delayMs: 0 }))
  const recorder = config.record === undefined ? undefined : new Recorder(config.record, nowUs)
  const server = new CollectorServer(
    {
      address: config.listen,
      tls: config.tls,
      token: config.token,
      streams: config.streams ?? defaultStreams,
      window: largestWindow,
      queuedBytes: intakeLimits.bytes / 4,
    },
    { intake, intakeMessages: intakeLimits.messages, sessions, rejections, networks, nowUs, log, recorder },
  )
  const runner = new Runner({
    intake,
    sessions,
    rejections,
    lines,
    store,
    others,
    nowUs,
    log,
    onStored: ports.onStored,
  })

  const address = await server.start()
  const running = runner.run()
  const silenceCheck = setInterval(() => runner.endSilentHosts(), silenceCheckMs)
  log.info({ address }, "listening for collectors")

  const stop = async (graceMs = defaultGraceMs): Promise<boolean> => {
    clearInterval(silenceCheck)
    server.refuse()
    intake.close()
    const giveUp = setTimeout(() => [store, ...others].forEach((delivery) => delivery.giveUp()), graceMs)
    await running
    await Promise.all([store, ...others].map((delivery) => delivery.flush()))
    clearTimeout(giveUp)
    await server.stop()
    recorder?.close()
    const isAllWritten = [store, ...others].every((delivery) => delivery.counts.waiting === 0)
    for (const sink of [...ports.sinks, ports.store]) await sink.flush().then(() => sink.close())
    return isAllWritten
  }

  return {
    address,
    stop,
    counts: () => ({
      streams: server.streams,
      intake: { messages: intake.messages, bytes: intake.bytes },
      rejected: rejections.entries(),
      sessions: [...sessions.values()].map((session) => sessionState(session, sessions)),
      hosts: lines.values().map(({ pipeline, lastReceivedUs }) => ({
        view: pipeline.view,
        lastReceivedUs,
        counts: pipeline.counts,
      })),
      deliveries: [store, ...others].map((delivery) => ({ sink: delivery.name, counts: delivery.counts })),
    }),
  }
}

function sessionState(session: CollectorSession, sessions: Sessions): SessionStatus {
  const { host, counts } = session
  return {
    host: host.hostName,
    hostId: host.hostId,
    bootId: host.bootId,
    connected: sessions.streamOf(session) !== undefined,
    counts,
  }
}
