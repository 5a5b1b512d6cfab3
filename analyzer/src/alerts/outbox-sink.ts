import type { Output } from "../domain/output.js"
import type { Sink } from "../sinks/sink.js"

/** Puts the alerts of outputs into the outbox of every destination. Durable once `write` resolves. */
export class OutboxSink implements Sink {
  readonly name = "outbox"
  readonly #queues: readonly Pick<Sink, "write">[]

  constructor(queues: readonly Pick<Sink, "write">[]) {
    this.#queues = queues
  }

  async write(outputs: readonly Output[]): Promise<void> {
    // All are waited for: a queue that is still at it would otherwise meet the same outputs again.
    const results = await Promise.allSettled(this.#queues.map((queue) => queue.write(outputs)))
    for (const result of results) if (result.status === "rejected") throw result.reason
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  /** The outboxes are closed with their publishers. */
  close(): Promise<void> {
    return Promise.resolve()
  }
}
