import { createHash } from "node:crypto"
import type { Batch } from "../../domain/batch.js"
import type { HostFacts, Microseconds } from "../../domain/identity.js"
import type { DecidedProof } from "../../domain/proof.js"
import type { Reject } from "../../ingest/decode/rejections.js"
import type { CollectorSession } from "../../ingest/server/session.js"
import type { Sessions } from "../../ingest/server/sessions.js"
import type { Hosts } from "../../pipeline/hosts.js"
import type { Log } from "../../telemetry/log.js"
import type { Nonces } from "./nonces.js"

/** The first proof of a run comes soon after its first batch, spread so that a fleet does not answer at once. */
const [firstUs, firstSpreadUs] = [2_000_000, 3_000_000]
/** A collector that says nothing of a request for so long will not. */
const answerUs = 10_000_000
/** From a request until its outcome is given up: an answer, the relay's time, and batches that may wait behind others. */
const outcomeUs = 30_000_000
/** Periods differ by up to a tenth, so that a fleet's proofs drift apart. */
const jitter = 0.1

/** How one host stood a proof that somebody asked for. */
export interface ProofResult {
  readonly host: string
  readonly hostId: string
  readonly isProven: boolean
  /** "the relay was found after 0.21 s", or why it was not. */
  readonly text: string
}

export interface ProverPorts {
  readonly sessions: Sessions
  readonly hosts: Hosts
  readonly nonces: Nonces
  readonly reject: Reject
  readonly log: Log
  /** By the analyzer's clock. */
  readonly nowUs: () => Microseconds
}

/** Of one run of a collector. */
interface Schedule {
  nextUs: Microseconds
  count: number
  asked: Asked | undefined
}

interface Asked {
  readonly nonce: string
  readonly atUs: Microseconds
  isAnswered: boolean
  readonly waiting: ((result: ProofResult) => void)[]
}

/** Asks every connected collector for proofs, by schedule and on demand, and tells whose answer is to be trusted. */
export class Prover {
  readonly #ports: ProverPorts
  readonly #intervalUs: Microseconds
  readonly #schedules = new WeakMap<CollectorSession, Schedule>()

  /** 0 for no schedule: only on demand. */
  constructor(intervalUs: Microseconds, ports: ProverPorts) {
    this.#intervalUs = intervalUs
    this.#ports = ports
  }

  /** To be called about every second. */
  look(): void {
    const nowUs = this.#ports.nowUs()
    for (const session of this.#connected()) {
      const schedule = this.#scheduleOf(session, nowUs)
      this.#settle(session, schedule, nowUs)
      if (this.#intervalUs === 0 || schedule.asked !== undefined || nowUs < schedule.nextUs) continue
      schedule.nextUs = nowUs + this.#intervalUs * (1 - jitter + 2 * jitter * share(session.host, schedule.count))
      this.#ask(session, schedule, nowUs)
    }
  }

  /** Proves one host, by name or id, or all that are connected, now. */
  async prove(host: string | undefined): Promise<readonly ProofResult[]> {
    const nowUs = this.#ports.nowUs()
    const named = [...this.#connected()].filter(
      ({ host: { hostName, hostId } }) => host === undefined || host === hostName || host === hostId,
    )
    return Promise.all(
      named.map((session) => {
        const schedule = this.#scheduleOf(session, nowUs)
        const asked = schedule.asked ?? this.#ask(session, schedule, nowUs)
        return new Promise<ProofResult>((resolve) => asked.waiting.push(resolve))
      }),
    )
  }

  /** The batch without what others have asked for, or nobody. */
  admit(session: CollectorSession, batch: Batch): Batch {
    if (batch.proofs.length === 0) return batch
    const { nonces, reject } = this.#ports
    const proofs = batch.proofs.filter(({ nonce }) => nonces.isOurs(session.host, nonce))
    if (proofs.length < batch.proofs.length) reject("nonce", batch.proofs.length - proofs.length)
    const asked = this.#schedules.get(session)?.asked
    if (asked !== undefined && proofs.some(({ nonce }) => nonce === asked.nonce)) asked.isAnswered = true
    return { ...batch, proofs }
  }

  /** A batch of this run went through its pipeline: what was asked may be decided. */
  applied(session: CollectorSession): void {
    const schedule = this.#schedules.get(session)
    if (schedule?.asked !== undefined) this.#settle(session, schedule, this.#ports.nowUs())
  }

  *#connected(): Generator<CollectorSession> {
    const { sessions } = this.#ports
    for (const session of sessions.values())
      if (session.counts.batches > 0 && sessions.streamOf(session) !== undefined) yield session
  }

  #scheduleOf(session: CollectorSession, nowUs: Microseconds): Schedule {
    const known = this.#schedules.get(session)
    if (known !== undefined) return known
    const schedule = { nextUs: nowUs + firstUs + firstSpreadUs * share(session.host, 0), count: 0, asked: undefined }
    this.#schedules.set(session, schedule)
    return schedule
  }

  #ask(session: CollectorSession, schedule: Schedule, nowUs: Microseconds): Asked {
    const { nonces, sessions } = this.#ports
    const asked = { nonce: nonces.issue(session.host), atUs: nowUs, isAnswered: false, waiting: [] }
    schedule.asked = asked
    schedule.count += 1
    sessions.streamOf(session)?.prove(Buffer.from(asked.nonce, "hex"))
    return asked
  }

  #settle(session: CollectorSession, schedule: Schedule, nowUs: Microseconds): void {
    const { asked } = schedule
    if (asked === undefined) return
    const { hosts, log } = this.#ports
    const { host } = session
    const decided = hosts.proofsOf(host)?.last
    if (decided?.nonce === asked.nonce) {
      if (decided.outcome !== "found")
        log.warn({ host: host.hostName }, `the host is not proven to be watched: ${decided.text}`)
      this.#end(schedule, resultOf(host, decided))
    } else if (nowUs > asked.atUs + outcomeUs) {
      this.#end(schedule, resultOf(host, undefined))
    } else if (!asked.isAnswered && nowUs > asked.atUs + answerUs) {
      asked.isAnswered = true
      hosts.proofFailed(host, asked.nonce, `the collector did not respond within ${answerUs / 1e6} s`)
    }
  }

  #end(schedule: Schedule, result: ProofResult): void {
    const waiting = schedule.asked?.waiting ?? []
    schedule.asked = undefined
    for (const resolve of waiting) resolve(result)
  }
}

function resultOf({ hostName, hostId }: HostFacts, decided: DecidedProof | undefined): ProofResult {
  return {
    host: hostName,
    hostId,
    isProven: decided?.outcome === "found",
    text: decided?.text ?? `timeout: nothing was received from its collector for ${outcomeUs / 1e6} s`,
  }
}

/** 0..1, the same for the same host and number. */
function share({ hostId, bootId }: HostFacts, count: number): number {
  const digest = createHash("sha256").update(`${hostId}\n${bootId}\n${count}`).digest()
  return digest.readUInt32BE(0) / 0xffff_ffff
}
