import type { Output } from "../domain/output.js"
import type { Sink } from "../sinks/sink.js"

/**
 * The outboxes of every destination and the store as the one durable sink: a batch is acknowledged to its collector only
 * when all hold it. The outboxes come first. After a crash between the two the collector sends the batch again, and its
 * alerts leave a second time under the same id; the other way round they would never leave.
 */
export class OutboxThenStore implements Sink {
  readonly name: string
  readonly #queues: readonly Pick<Sink, "write">[]
  readonly #store: Sink

  constructor(queues: readonly Pick<Sink, "write">[], store: Sink) {
    this.name = store.name
    this.#queues = queues
    this.#store = store
  }

  async write(outputs: readonly Output[]): Promise<void> {
    // All are waited for: a queue that is still at it would otherwise meet the same outputs again.
    const results = await Promise.allSettled(this.#queues.map((queue) => queue.write(outputs)))
    for (const result of results) if (result.status === "rejected") throw result.reason
    await this.#store.write(outputs)
  }
}
