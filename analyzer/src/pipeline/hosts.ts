import type { Batch } from "../domain/batch.js"
import type { HostFacts, Microseconds, ProcessFacts } from "../domain/identity.js"
import { bootKey } from "../domain/keys.js"
import type { Output } from "../domain/output.js"
import type { ProofStatus } from "../domain/proof.js"
import { HostPipeline } from "./host-pipeline.js"
import type { PipelineOptions } from "./host-pipeline.js"

/** A host is taken for gone when nothing was received from it for an hour of the analyzer's clock. */
const silentUs = 3_600_000_000
/** A boot is, when its host sends another boot id and nothing was received of this one for half a minute. */
const rebootedUs = 30_000_000

/** The pipeline of one boot of one host, and when its host last sent anything. */
export interface HostEntry {
  readonly pipeline: HostPipeline
  /** By the analyzer's clock: a host whose own clock is wrong must not end others. */
  readonly lastReceivedUs: Microseconds
}

type OpenEntry = HostEntry & { lastReceivedUs: Microseconds }

/** The pipelines of all hosts, one for each boot: machines cloned with one host id keep apart by their boot id. */
export class Hosts {
  readonly #options: PipelineOptions
  readonly #entries = new Map<string, OpenEntry>()

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  values(): readonly HostEntry[] {
    return [...this.#entries.values()]
  }

  /** Opens or goes on with the pipeline of this boot. What comes out is of earlier boots of the host, which are over now. */
  greet(host: HostFacts, receivedUs: Microseconds): Output[] {
    this.#pipelineOf(host, receivedUs).greet(host)
    return this.#end(
      ({ pipeline, lastReceivedUs }) =>
        pipeline.view.host.hostId === host.hostId &&
        pipeline.view.host.bootId !== host.bootId &&
        lastReceivedUs + rebootedUs <= receivedUs,
    )
  }

  learn(host: HostFacts, processes: readonly ProcessFacts[], receivedUs: Microseconds): void {
    this.#pipelineOf(host, receivedUs).learn(processes)
  }

  apply(host: HostFacts, batch: Batch, receivedUs: Microseconds): Output {
    return this.#pipelineOf(host, receivedUs).apply(batch)
  }

  /** How this boot stands proofs; undefined while nothing is known of it. */
  proofsOf(host: HostFacts): ProofStatus | undefined {
    return this.#entries.get(bootKey(host))?.pipeline.proofs
  }

  /** A request for a proof came to nothing before its collector could say so. */
  proofFailed(host: HostFacts, nonce: string, failure: string): void {
    this.#entries.get(bootKey(host))?.pipeline.proofFailed(nonce, failure)
  }

  /** Ends and forgets the hosts that were silent for too long. */
  endSilent(nowUs: Microseconds): Output[] {
    return this.#end(({ lastReceivedUs }) => lastReceivedUs + silentUs <= nowUs)
  }

  #end(isOver: (entry: HostEntry) => boolean): Output[] {
    const over = [...this.#entries].filter(([, entry]) => isOver(entry))
    return over.map(([key, { pipeline }]) => {
      this.#entries.delete(key)
      return pipeline.end()
    })
  }

  #pipelineOf(host: HostFacts, receivedUs: Microseconds): HostPipeline {
    const key = bootKey(host)
    const known = this.#entries.get(key)
    if (known !== undefined) {
      known.lastReceivedUs = receivedUs
      return known.pipeline
    }
    const pipeline = new HostPipeline(host, this.#options)
    this.#entries.set(key, { pipeline, lastReceivedUs: receivedUs })
    return pipeline
  }
}
