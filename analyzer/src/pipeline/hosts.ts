import type { Batch } from "../domain/batch.js"
import type { HostFacts, Microseconds, ProcessFacts } from "../domain/identity.js"
import type { Output } from "../domain/output.js"
import { HostLine } from "./host-pipeline.js"
import type { PipelineOptions } from "./host-pipeline.js"

/** A host is taken for gone when nothing was heard of it for an hour of the analyzer's clock. */
const silentUs = 3_600_000_000
/** A boot is, when its host speaks with another boot id and nothing was heard of this one for half a minute. */
const rebootedUs = 30_000_000

/** A line, and when its host last spoke. */
export interface Heard {
  readonly line: HostLine
  /** By the analyzer's clock: a host whose own clock is wrong must not end others. */
  readonly heardUs: Microseconds
}

/** The lines of all hosts, one for each boot: machines cloned with one host id keep apart by their boot id. */
export class HostLines {
  readonly #options: PipelineOptions
  readonly #lines = new Map<string, { readonly line: HostLine; heardUs: Microseconds }>()

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#lines.size
  }

  values(): readonly Heard[] {
    return [...this.#lines.values()]
  }

  /** Opens or goes on with the line of this boot. What comes out is of earlier boots of the host, which are over now. */
  greet(host: HostFacts, heardUs: Microseconds): Output[] {
    this.#lineOf(host, heardUs).greet(host)
    return this.#end(
      ({ line, heardUs: lastUs }) =>
        line.view.host.hostId === host.hostId &&
        line.view.host.bootId !== host.bootId &&
        lastUs + rebootedUs <= heardUs,
    )
  }

  learn(host: HostFacts, processes: readonly ProcessFacts[], heardUs: Microseconds): void {
    this.#lineOf(host, heardUs).learn(processes)
  }

  apply(host: HostFacts, batch: Batch, heardUs: Microseconds): Output {
    return this.#lineOf(host, heardUs).apply(batch)
  }

  /** Ends and forgets the hosts that were silent for too long. */
  endSilent(nowUs: Microseconds): Output[] {
    return this.#end(({ heardUs }) => heardUs + silentUs <= nowUs)
  }

  #end(isOver: (heard: Heard) => boolean): Output[] {
    const over = [...this.#lines].filter(([, heard]) => isOver(heard))
    return over.map(([key, { line }]) => {
      this.#lines.delete(key)
      return line.end()
    })
  }

  #lineOf(host: HostFacts, heardUs: Microseconds): HostLine {
    const key = `${host.hostId}\n${host.bootId}`
    const known = this.#lines.get(key)
    if (known !== undefined) {
      known.heardUs = heardUs
      return known.line
    }
    const line = new HostLine(host, this.#options)
    this.#lines.set(key, { line, heardUs })
    return line
  }
}
