import { defaultTrackerLimits } from "../connections/limits.js"
import type { TrackerLimits } from "../connections/limits.js"
import type { Microseconds } from "../domain/identity.js"
import { bootKey } from "../domain/keys.js"
import type { Networks } from "../domain/networks.js"
import { Rejections } from "../ingest/decode/rejections.js"
import { Intake } from "../ingest/server/intake.js"
import type { IntakeLimits } from "../ingest/server/intake.js"
import type { TlsFiles } from "../ingest/server/listener.js"
import { Recorder } from "../ingest/server/recording.js"
import { Peers } from "../ingest/server/peers.js"
import { CollectorServer } from "../ingest/server/server.js"
import type { Received } from "../ingest/server/server.js"
import type { CollectorSession } from "../ingest/server/session.js"
import { Sessions } from "../ingest/server/sessions.js"
import type { Stages } from "../pipeline/host-pipeline.js"
import { Hosts } from "../pipeline/hosts.js"
import { Delivery, defaultDeliveryLimits } from "../sinks/delivery.js"
import type { DeliveryLimits } from "../sinks/delivery.js"
import type { Sink } from "../sinks/sink.js"
import type { Log } from "../telemetry/log.js"
import type { AnalyzerStatus, SessionStatus } from "../telemetry/status.js"
import { Nonces } from "./prove/nonces.js"
import { Prover } from "./prove/prover.js"
import type { ProofResult } from "./prove/prover.js"
import { Runner } from "./runner.js"

/** What bounds the memory of an analyzer. */
export interface AnalyzerLimits {
  /** Collectors that may be connected at once. */
  readonly streams: number
  /** Boots of hosts that are known at once. */
  readonly hosts: number
  readonly intake: IntakeLimits
  readonly delivery: DeliveryLimits
  /** Of each host. */
  readonly tracker: TrackerLimits
}

export interface AnalyzerConfig {
  /** "unix:/path", "127.0.0.1:4319", "[::1]:4319". */
  readonly listen: string
  readonly tls?: TlsFiles | undefined
  /** Bearer token that collectors must send. */
  readonly token?: string | undefined
  readonly networks: Networks
  /** Folder for recordings of what collectors send; none are made without it. */
  readonly record?: string | undefined
  /** Between two proofs of one host; 0 for none but on demand. */
  readonly proofIntervalUs: Microseconds
  /** What proofs are signed with: nobody else may know it. */
  readonly proofKey: string
  readonly limits: AnalyzerLimits
}

export interface AnalyzerPorts {
  readonly stages: Stages
  /** The durable sink: a batch is acknowledged when its write has resolved. */
  readonly store: Sink
  /** Get findings and incidents; their failures stop nothing. */
  readonly sinks: readonly Sink[]
  readonly log: Log
  /** Wall clock, microseconds since the epoch: only to judge collectors' clocks and silence. */
  readonly nowUs: () => Microseconds
  /** Monotonic clock, milliseconds: what hosts cost. */
  readonly nowMs: () => number
  /** Called when a batch is durable, with its event time: how long that took is what a person waits for. */
  readonly onStored: (eventUs: Microseconds) => void
}

export const defaultAnalyzerLimits: AnalyzerLimits = {
  streams: 256,
  hosts: 4_096,
  intake: { messages: 1_024, bytes: 64 * 1024 * 1024 },
  delivery: defaultDeliveryLimits,
  tracker: defaultTrackerLimits,
}

/** Batches that one collector may have under way: at 5 batches a second, more than ten seconds without an answer. */
const largestWindow = 64
const silenceCheckMs = 60_000
const proofCheckMs = 1_000

/** From collectors to sinks: server, intake, hosts and deliveries. Does nothing until it is started. */
export class Analyzer {
  readonly #ports: AnalyzerPorts
  readonly #intake: Intake<Received>
  readonly #rejections = new Rejections()
  readonly #sessions = new Sessions()
  readonly #hosts: Hosts
  readonly #deliveries: readonly Delivery[]
  readonly #recorder: Recorder | undefined
  readonly #server: CollectorServer
  readonly #prover: Prover
  readonly #runner: Runner
  #address = ""
  /** Messages that were not looked at before the end. */
  #dropped = 0
  #running: { readonly ended: Promise<void>; readonly timers: readonly NodeJS.Timeout[] } | undefined

  constructor(config: AnalyzerConfig, ports: AnalyzerPorts) {
    const { log, nowUs, nowMs, stages, onStored } = ports
    const { networks, limits } = config
    this.#ports = ports
    this.#intake = new Intake<Received>(limits.intake, {
      nowMs,
      maxHosts: limits.hosts,
      onTaken: ({ stream, bytes }) => stream.taken(bytes.length),
    })
    this.#hosts = new Hosts({ networks, stages, trackerLimits: limits.tracker })
    const store = new Delivery(ports.store, log, limits.delivery)
    // A finding goes out at once: only the store gains from waiting for more.
    const others = ports.sinks.map((sink) => new Delivery(sink, log, { ...limits.delivery, delayMs: 0 }))
    this.#deliveries = [store, ...others]
    this.#recorder = config.record === undefined ? undefined : new Recorder(config.record, nowUs)
    const peers = new Peers(limits.hosts)
    const shared = { intake: this.#intake, peers, sessions: this.#sessions, rejections: this.#rejections, nowUs, log }
    this.#server = new CollectorServer(
      {
        address: config.listen,
        tls: config.tls,
        token: config.token,
        streams: limits.streams,
        window: largestWindow,
        queuedBytes: limits.intake.bytes / 4,
      },
      { ...shared, intakeMessages: limits.intake.messages, networks, recorder: this.#recorder },
    )
    this.#prover = new Prover(config.proofIntervalUs, {
      ...shared,
      hosts: this.#hosts,
      nonces: new Nonces(config.proofKey),
      reject: this.#rejections.count,
    })
    this.#runner = new Runner({ ...shared, hosts: this.#hosts, prover: this.#prover, store, others, nowMs, onStored })
  }

  /** What collectors dial, in the form of `listen`; empty before the start. */
  get address(): string {
    return this.#address
  }

  /** Collectors can connect. */
  get isListening(): boolean {
    return this.#running !== undefined
  }

  /**
   * Listens for collectors. Throws AppError "address-in-use", or "config" for a certificate that cannot be used and for a
   * network address without TLS.
   */
  async start(): Promise<void> {
    this.#address = await this.#server.start()
    this.#running = {
      ended: this.#runner.run(),
      timers: [
        setInterval(() => this.#runner.endSilentHosts(), silenceCheckMs),
        setInterval(() => this.#prover.look(), proofCheckMs),
      ],
    }
    this.#ports.log.info({ address: this.#address }, "listening for collectors")
  }

  /** Proves one host, by name or id, or all that are connected, now. */
  prove(host: string | undefined): Promise<readonly ProofResult[]> {
    return this.#prover.prove(host)
  }

  /** How it stands now, also after its end. */
  status(): AnalyzerStatus {
    return {
      streams: this.#server.streams,
      intake: { messages: this.#intake.messages, bytes: this.#intake.bytes },
      rejected: this.#rejections.entries(),
      sessions: [...this.#sessions.values()].map((session) => statusOf(session, this.#sessions)),
      hosts: this.#hosts.values().map(({ pipeline, lastReceivedUs }) => ({
        view: pipeline.view,
        lastReceivedUs,
        counts: pipeline.counts,
        share: this.#intake.shareOf(bootKey(pipeline.view.host)),
        proofs: pipeline.proofs,
      })),
      deliveries: this.#deliveries.map((delivery) => ({ sink: delivery.name, counts: delivery.counts })),
    }
  }

  /**
   * Takes no more, writes what it has, and closes the streams. What is not durable within `graceMs` stays unacknowledged,
   * and its collector sends it again; false then.
   */
  async stop(graceMs: number): Promise<boolean> {
    const running = this.#running
    if (running === undefined) return true
    this.#running = undefined
    for (const timer of running.timers) clearInterval(timer)
    this.#server.refuse()
    this.#intake.close()
    const giveUp = setTimeout(() => this.#giveUp(), graceMs)
    await running.ended
    await Promise.all(this.#deliveries.map((delivery) => delivery.flush()))
    clearTimeout(giveUp)
    await this.#server.stop()
    this.#recorder?.close()
    return this.#dropped === 0 && this.#deliveries.every(({ counts }) => counts.waiting === 0)
  }

  /** The time is over: what was received and is not durable is dropped. */
  #giveUp(): void {
    for (const delivery of this.#deliveries) delivery.giveUp()
    this.#dropped = this.#intake.drop()
    if (this.#dropped > 0)
      this.#ports.log.warn(
        { messages: this.#dropped },
        "timeout: messages that wait were dropped at the stop, their collectors send them again",
      )
  }
}

function statusOf(session: CollectorSession, sessions: Sessions): SessionStatus {
  const { host, counts } = session
  return {
    host: host.hostName,
    hostId: host.hostId,
    bootId: host.bootId,
    connected: sessions.streamOf(session) !== undefined,
    counts,
  }
}
