/** A collector for tests: the real gRPC client with plain bytes, so that a test can also send what no collector would. */
import { Client, Metadata, credentials } from "@grpc/grpc-js"
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from "@grpc/grpc-js"
import { backflow } from "@backflow/proto"

type AnalyzerMessage = ReturnType<typeof backflow.v1.AnalyzerMessage.toObject>

const path = "/backflow.v1.Collector/Stream"
const identity = (bytes: Buffer): Buffer => bytes

export class FakeCollector {
  readonly #client: Client
  readonly #call: ClientDuplexStream<Buffer, Buffer>
  readonly #received: AnalyzerMessage[] = []
  #waiting: (() => void)[] = []
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>
  /** How many messages HTTP/2 flow control has let out. */
  written = 0

  constructor(address: string, token?: string, channel: ChannelCredentials = credentials.createInsecure()) {
    const metadata = new Metadata()
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`)
    // A connection of its own, as collectors have.
    this.#client = new Client(address, channel, { "grpc.use_local_subchannel_pool": 1 })
    this.#call = this.#client.makeBidiStreamRequest(path, identity, identity, metadata)
    this.#call.on("error", () => undefined)
    this.ended = new Promise((resolve) => this.#call.on("status", resolve))
    this.#call.on("data", (bytes: Buffer) => {
      const wire = backflow.v1.AnalyzerMessage
      this.#received.push(wire.toObject(wire.decode(bytes), { longs: Number, defaults: false }))
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  /** Sequence numbers in the order in which they were acknowledged. */
  get acks(): number[] {
    return this.#received.flatMap((message) => ("ack" in message ? [(message["ack"] as { seq: number }).seq] : []))
  }

  /** The latest window: of Welcome, or of the Flow after it. */
  get window(): number | undefined {
    const grants = this.#received.map(
      (message) => (message["welcome"] ?? message["flow"]) as { window: number } | undefined,
    )
    return grants.findLast((grant) => grant !== undefined)?.window
  }

  send(bytes: Buffer): boolean {
    return this.#call.write(bytes, () => {
      this.written += 1
    })
  }

  end(): void {
    this.#call.end()
  }

  close(): void {
    this.#call.cancel()
    this.#client.close()
  }

  /** The first message of this kind. */
  async next(kind: "welcome" | "ack" | "flow"): Promise<unknown> {
    await this.until(() => this.#received.some((message) => kind in message))
    return this.#received.find((message) => kind in message)?.[kind]
  }

  async acknowledged(seq: number): Promise<void> {
    await this.until(() => (this.acks.at(-1) ?? 0) >= seq)
  }

  /** Resolves when the condition holds; looked at again after every message. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const isOver = await Promise.race([
        new Promise<false>((resolve) => this.#waiting.push(() => resolve(false))),
        this.ended.then((end) => end),
      ])
      if (isOver !== false && !condition()) throw new Error(`the stream ended: ${isOver.code} ${isOver.details}`)
    }
  }
}
