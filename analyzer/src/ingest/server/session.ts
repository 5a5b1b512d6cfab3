import type { Batch } from "../../domain/batch.js"
import { lostBy } from "../../domain/lost.js"
import type { Lost } from "../../domain/lost.js"
import type { HostFacts, ProcessFacts } from "../../domain/identity.js"
import type { SessionCounts } from "../../telemetry/status.js"
import { decode } from "../decode/decode.js"
import type { Malformed } from "../decode/decode.js"
import { ProcessDictionary } from "../decode/dictionary.js"
import type { Reject } from "../decode/rejections.js"
import { UnfollowedUses } from "./unfollowed-uses.js"

/** What one message of a collector means to the pipeline of its host. */
export type SessionInput =
  | { readonly kind: "batch"; readonly batch: Batch }
  | { readonly kind: "facts"; readonly processes: readonly ProcessFacts[] }
  /** Sent before: its records were applied then. */
  | { readonly kind: "duplicate"; readonly seq: number }
  | Malformed

/** What is remembered of one run of one collector, over all its streams. */
export class CollectorSession {
  /** Whose first stream it was. */
  readonly peer: string
  #host: HostFacts
  readonly #dictionary = new ProcessDictionary()
  #accepted: number | undefined
  #durable = 0
  #batches = 0
  #duplicates = 0
  #missing = 0
  #lost: Lost | undefined
  #clockAheadUs = 0
  readonly #unfollowed = new UnfollowedUses()

  constructor(host: HostFacts, peer = "") {
    this.#host = host
    this.peer = peer
  }

  get host(): HostFacts {
    return this.#host
  }

  /** Every batch up to this sequence number is durable; 0 before the first. */
  get durable(): number {
    return this.#durable
  }

  get isAllDurable(): boolean {
    return this.#durable >= (this.#accepted ?? 0)
  }

  get counts(): SessionCounts {
    return {
      batches: this.#batches,
      duplicates: this.#duplicates,
      missing: this.#missing,
      lost: this.#lost,
      clockAheadUs: this.#clockAheadUs,
      unfollowed: this.#unfollowed.all,
    }
  }

  /** The same run says Hello on another stream; its name and degraded modes may have changed. */
  greet(host: HostFacts): void {
    this.#host = host
  }

  /**
   * Reads the next message. A batch that came before teaches its references again, for the collector may have left out
   * what it taught on the stream before, but its records are not applied twice.
   */
  read(bytes: Uint8Array, nowUs: number, reject: Reject): SessionInput {
    const decoded = decode(bytes, { dictionary: this.#dictionary, nowUs, reject })
    if (decoded.kind === "hello") return { kind: "malformed", reason: "hello", detail: "a second Hello on one stream" }
    if (decoded.kind === "dictionary") return { kind: "facts", processes: decoded.processes }
    if (decoded.kind === "malformed") {
      this.#clockAheadUs = decoded.aheadUs ?? this.#clockAheadUs
      return decoded
    }
    this.#clockAheadUs = Math.max(0, decoded.batch.observedUs - nowUs)
    return this.#accept(decoded.batch)
  }

  markDurable(seq: number): void {
    this.#durable = Math.max(this.#durable, seq)
  }

  #accept(batch: Batch): SessionInput {
    // A run that began before this analyzer did may start anywhere.
    const accepted = this.#accepted ?? batch.seq - 1
    if (batch.seq <= accepted) {
      this.#duplicates += 1
      return { kind: "duplicate", seq: batch.seq }
    }
    this.#missing += batch.seq - accepted - 1
    this.#accepted = batch.seq
    this.#batches += 1
    this.#unfollowed.learn(batch.unfollowed)
    this.#lost = this.#lost === undefined ? batch.lost : further(this.#lost, batch.lost)
    return { kind: "batch", batch }
  }
}

/** Totals only rise: what comes late of an older batch lowers none. */
function further(a: Lost, b: Lost): Lost {
  return lostBy((kind) => Math.max(a[kind], b[kind]))
}
