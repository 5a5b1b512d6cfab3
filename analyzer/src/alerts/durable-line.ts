import type { Output } from "../domain/output.js"
import type { Sink } from "../sinks/sink.js"

/**
 * Outbox and store as the one durable sink: a batch is acknowledged to its collector only when both hold it. The outbox
 * comes first. After a crash between the two the collector sends the batch again, and its alerts leave a second time under
 * the same id; the other way round they would never leave.
 */
export class DurableLine implements Sink {
  readonly name: string
  readonly #outbox: Sink
  readonly #store: Sink

  constructor(outbox: Sink, store: Sink) {
    this.name = store.name
    this.#outbox = outbox
    this.#store = store
  }

  async write(outputs: readonly Output[]): Promise<void> {
    await this.#outbox.write(outputs)
    await this.#store.write(outputs)
  }

  async flush(): Promise<void> {
    await this.#outbox.flush()
    await this.#store.flush()
  }

  async close(): Promise<void> {
    await this.#outbox.close()
    await this.#store.close()
  }
}
