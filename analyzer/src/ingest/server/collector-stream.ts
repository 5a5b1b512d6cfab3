import { backflow } from "@backflow/proto"
import { status } from "@grpc/grpc-js"
import type { ServerDuplexStream } from "@grpc/grpc-js"
import type { Networks } from "../../domain/networks.js"
import { protocolVersion } from "../decode/decode.js"
import type { CollectorSession } from "./session.js"

export type CollectorCall = ServerDuplexStream<Buffer, Buffer>

/** What the analyzer says on one stream. Acks and windows replace their predecessors: a peer that does not read costs nothing. */
export class CollectorStream {
  readonly #call: CollectorCall
  session: CollectorSession | undefined
  /** A message of it could not be used: those that follow in the intake are passed over. */
  isUntrusted = false
  #queuedMessages = 0
  #queuedBytes = 0
  #window: number
  #isOver = false
  #isHalfClosed = false
  #canWrite = true
  #owedAck: number | undefined
  #owedWindow: number | undefined

  constructor(call: CollectorCall, window: number) {
    this.#call = call
    this.#window = window
    call.on("drain", () => {
      this.#canWrite = true
      this.#flush()
    })
  }

  /** Nothing more is read from it, and nothing said on it. */
  get isOver(): boolean {
    return this.#isOver
  }

  get window(): number {
    return this.#window
  }

  /** Messages of this stream that wait in the intake. */
  get queuedMessages(): number {
    return this.#queuedMessages
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** A message of it went into the intake. */
  offered(bytes: number): void {
    this.#queuedMessages += 1
    this.#queuedBytes += bytes
  }

  /** A message of it left the intake. */
  taken(bytes: number): void {
    this.#queuedMessages -= 1
    this.#queuedBytes -= bytes
  }

  welcome(networks: Networks): void {
    this.#write({
      welcome: {
        protocol: protocolVersion,
        window: this.#window,
        networks: networks.rules.map(({ block, scope }) => ({ ...block, outside: scope === "outside" })),
      },
    })
  }

  /** Every batch up to `seq` is durable. */
  acknowledge(seq: number): void {
    this.#owedAck = seq
    this.#flush()
    this.#finishIfDone()
  }

  /** How many batches may be under way from now on. */
  grant(window: number): void {
    if (window === this.#window) return
    this.#window = window
    this.#owedWindow = window
    if (this.session !== undefined) this.#flush()
  }

  /** The collector has said everything: the stream ends once all of it is durable. */
  halfClose(): void {
    this.#isHalfClosed = true
    this.#finishIfDone()
  }

  /** Ends the stream with a status that tells the collector why. */
  fail(code: status, details: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#call.emit("error", { code, details })
  }

  /** The peer is gone. */
  abandon(): void {
    this.#isOver = true
  }

  #finishIfDone(): void {
    if (this.#isOver || !this.#isHalfClosed || this.#queuedMessages > 0) return
    if (this.session !== undefined && !this.session.isAllDurable) return
    this.#isOver = true
    this.#call.end()
  }

  #flush(): void {
    if (this.#owedWindow !== undefined && this.#canWrite) {
      this.#write({ flow: { window: this.#owedWindow } })
      this.#owedWindow = undefined
    }
    if (this.#owedAck !== undefined && this.#canWrite) {
      this.#write({ ack: { seq: this.#owedAck } })
      this.#owedAck = undefined
    }
  }

  #write(message: Record<string, object>): void {
    if (this.#isOver) return
    const wire = backflow.v1.AnalyzerMessage
    this.#canWrite = this.#call.write(Buffer.from(wire.encode(wire.fromObject(message)).finish()))
  }
}
