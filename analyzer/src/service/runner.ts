import { setImmediate as nextTurn } from "node:timers/promises"
import { status } from "@grpc/grpc-js"
import type { Delivery } from "../sinks/delivery.js"
import type { Microseconds } from "../domain/identity.js"
import type { Output } from "../domain/output.js"
import { messageOf } from "../errors.js"
import type { CollectorStream } from "../ingest/server/collector-stream.js"
import type { Intake } from "../ingest/server/intake.js"
import type { Peers } from "../ingest/server/peers.js"
import type { Rejections } from "../ingest/decode/rejections.js"
import type { Received } from "../ingest/server/server.js"
import type { CollectorSession } from "../ingest/server/session.js"
import type { Sessions } from "../ingest/server/sessions.js"
import type { Log } from "../telemetry/log.js"
import type { Hosts } from "../pipeline/hosts.js"
import { lossLines } from "../telemetry/losses.js"
import type { Prover } from "./prove/prover.js"
import { totalLost } from "../domain/lost.js"

export interface RunnerPorts {
  readonly intake: Intake<Received>
  readonly sessions: Sessions
  readonly peers: Peers
  readonly rejections: Rejections
  readonly hosts: Hosts
  readonly prover: Pick<Prover, "admit" | "applied">
  /** The durable sink: its room is what the intake waits for. */
  readonly store: Delivery
  readonly others: readonly Delivery[]
  readonly nowUs: () => number
  /** Monotonic clock, milliseconds: what a message costs. */
  readonly nowMs: () => number
  readonly log: Log
  readonly onStored: (eventUs: Microseconds) => void
}

/** How long batches may hold the event loop before sockets and timers get their turn, in milliseconds. */
const turnMs = 8

/** Takes messages from the intake one by one, the host that has cost least first, runs each through the pipeline of its host, and hands on what comes out. */
export class Runner {
  readonly #ports: RunnerPorts

  constructor(ports: RunnerPorts) {
    this.#ports = ports
  }

  /** Resolves when the intake is closed and empty. */
  async run(): Promise<void> {
    const { intake, store, nowMs } = this.#ports
    let turnEndsMs = nowMs() + turnMs
    while (await intake.waiting()) {
      await store.room()
      const startMs = nowMs()
      // After the wait, so that whose turn it is goes by what is there now. Undefined when the intake was dropped meanwhile.
      const received = intake.take()
      if (received !== undefined) this.#handle(received)
      const endMs = nowMs()
      if (received !== undefined) intake.charge(received.source, endMs - startMs)
      if (endMs < turnEndsMs) continue
      await nextTurn()
      turnEndsMs = nowMs() + turnMs
    }
  }

  /** Ends the hosts that sent nothing for long. */
  endSilentHosts(): void {
    this.#endAll(this.#ports.hosts.endSilent(this.#ports.nowUs()))
  }

  #handle({ stream, bytes, hello, isConflict }: Received): void {
    const { session } = stream
    // What follows a message that could not be read cannot be trusted: its collector sends it again on a new stream.
    if (session === undefined || stream.isDistrusted) return
    try {
      if (hello !== undefined) {
        if (!isConflict) this.#endAll(this.#ports.hosts.greet(hello, this.#ports.nowUs()))
      } else this.#read(stream, session, bytes)
    } catch (thrown) {
      // A fault of ours costs this batch, counted: its session has taken it for seen, so it does not come in a circle.
      this.#ports.rejections.count("analysis_failed")
      this.#ports.log.error({ host: session.host.hostName, error: messageOf(thrown) }, "analysis of a batch failed")
      stream.distrust(status.INTERNAL, "analysis of the batch failed")
    }
  }

  /** Loss is logged when it happens, a doubling at a time: a storm of it must not become one of words. */
  #logLoss({ host, counts: { lost } }: CollectorSession, before: number): void {
    if (lost === undefined || Math.floor(Math.log2(totalLost(lost))) <= Math.floor(Math.log2(before))) return
    this.#ports.log.warn({ host: host.hostName }, `the collector ${lossLines(lost).join("; ")}`)
  }

  #read(stream: CollectorStream, session: CollectorSession, bytes: Uint8Array): void {
    const { hosts, prover, rejections, nowUs } = this.#ports
    const before = totalLost(session.counts.lost)
    const input = session.read(bytes, nowUs(), rejections.count)
    this.#logLoss(session, before)
    if (input.kind === "malformed") {
      rejections.count(input.reason)
      this.#ports.log.warn({ host: session.host.hostName, reason: input.reason }, `unreadable message: ${input.detail}`)
      stream.distrust(status.INVALID_ARGUMENT, input.detail)
    } else if (input.kind === "facts") hosts.learn(session.host, input.processes, nowUs())
    else if (input.kind === "duplicate") this.#acknowledge(session)
    else {
      const { seq, observedUs } = input.batch
      const output = hosts.apply(session.host, prover.admit(session, input.batch), nowUs())
      prover.applied(session)
      this.#deliver(output, () => {
        session.markDurable(seq)
        this.#acknowledge(session)
        this.#ports.onStored(observedUs)
      })
    }
  }

  /** What comes out of hosts that are over. */
  #endAll(outputs: readonly Output[]): void {
    for (const output of outputs) {
      this.#ports.peers.forget(output.host)
      this.#deliver(output, () => undefined)
    }
  }

  #deliver(output: Output, onDurable: () => void): void {
    this.#ports.store.add(output, onDurable)
    if (!hasNews(output)) return
    for (const delivery of this.#ports.others) delivery.addOrShed(output)
  }

  #acknowledge(session: CollectorSession): void {
    if (session.durable > 0) this.#ports.sessions.streamOf(session)?.acknowledge(session.durable)
  }
}

/** Connections alone are for the store. */
function hasNews({ findings, incidents, couplings }: Output): boolean {
  return findings.length > 0 || incidents.length > 0 || couplings.length > 0
}
