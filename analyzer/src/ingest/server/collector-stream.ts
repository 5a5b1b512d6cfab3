import { backflow } from "@backflow/proto"
import type { ServerDuplexStream, status } from "@grpc/grpc-js"
import type { Networks } from "../../domain/networks.js"
import { protocolVersion } from "../decode/decode.js"
import type { CollectorSession } from "./session.js"

export type CollectorCall = ServerDuplexStream<Buffer, Buffer>

type State =
  /** No Hello came yet. */
  | { readonly kind: "greeting" }
  | { readonly kind: "open"; readonly session: CollectorSession }
  /** The collector sends no more: the stream ends once all that it sent is durable. */
  | { readonly kind: "half-closed"; readonly session: CollectorSession }
  /** Ended, or the peer is gone. What waits of it in the intake still counts. */
  | { readonly kind: "over"; readonly session: CollectorSession | undefined }
  /** Ended over a message that could not be used: what waits of it in the intake is passed over. */
  | { readonly kind: "distrusted"; readonly session: CollectorSession | undefined }

/**
 * One stream of one collector, and what the analyzer sends on it. Acks and windows replace their predecessors: a peer that
 * does not read costs nothing.
 */
export class CollectorStream {
  readonly #call: CollectorCall
  /** Who is at the other end, as far as the transport tells: several streams of one peer count together. */
  readonly peer: string
  #state: State = { kind: "greeting" }
  #window: number
  #queuedMessages = 0
  #queuedBytes = 0
  #owedAck: number | undefined
  #owedWindow: number | undefined
  #owedNonce: Uint8Array | undefined

  constructor(call: CollectorCall, window: number) {
    this.#call = call
    this.peer = peerOf(call)
    this.#window = window
    call.on("drain", () => this.#flush())
  }

  /** Whose messages come on it; undefined before Hello. */
  get session(): CollectorSession | undefined {
    return this.#state.kind === "greeting" ? undefined : this.#state.session
  }

  /** Nothing more is read from it or sent on it. */
  get isOver(): boolean {
    return this.#state.kind === "over" || this.#state.kind === "distrusted"
  }

  get isDistrusted(): boolean {
    return this.#state.kind === "distrusted"
  }

  /** Batches that may be under way. */
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

  /** Hello was accepted: sends Welcome. */
  open(session: CollectorSession, networks: Networks): void {
    if (this.#state.kind !== "greeting") return
    this.#state = { kind: "open", session }
    this.#write({
      welcome: {
        protocol: protocolVersion,
        window: this.#window,
        networks: networks.rules.map(({ block, scope }) => ({ ...block, outside: scope === "outside" })),
      },
    })
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

  /** Every batch up to `seq` is durable. */
  acknowledge(seq: number): void {
    this.#owedAck = seq
    this.#flush()
    this.#endWhenDurable()
  }

  /** How many batches may be under way from now on. */
  grant(window: number): void {
    if (window === this.#window) return
    this.#window = window
    // Welcome names it.
    if (this.#state.kind === "greeting") return
    this.#owedWindow = window
    this.#flush()
  }

  /** The collector is to open a relay; a request that was not sent yet is replaced. */
  prove(nonce: Uint8Array): void {
    this.#owedNonce = nonce
    this.#flush()
  }

  /** The collector sends no more. */
  halfClose(): void {
    if (this.#state.kind === "greeting") this.#end()
    if (this.#state.kind !== "open") return
    this.#state = { kind: "half-closed", session: this.#state.session }
    this.#endWhenDurable()
  }

  /** Ends the stream with a status that names the reason. */
  fail(code: status, details: string): void {
    if (this.isOver) return
    this.#state = { kind: "over", session: this.session }
    this.#call.emit("error", { code, details })
  }

  /** As `fail`, over a message that could not be used; also after the end of the stream. */
  distrust(code: status, details: string): void {
    this.fail(code, details)
    this.#state = { kind: "distrusted", session: this.session }
  }

  /** The peer is gone. */
  disconnect(): void {
    if (!this.isOver) this.#state = { kind: "over", session: this.session }
  }

  #endWhenDurable(): void {
    if (this.#state.kind === "half-closed" && this.#queuedMessages === 0 && this.#state.session.isAllDurable)
      this.#end()
  }

  #end(): void {
    this.#state = { kind: "over", session: this.session }
    this.#call.end()
  }

  #flush(): void {
    if (this.#owedWindow !== undefined && !this.#call.writableNeedDrain) {
      this.#write({ flow: { window: this.#owedWindow } })
      this.#owedWindow = undefined
    }
    if (this.#owedNonce !== undefined && !this.#call.writableNeedDrain) {
      this.#write({ prove: { nonce: this.#owedNonce } })
      this.#owedNonce = undefined
    }
    if (this.#owedAck !== undefined && !this.#call.writableNeedDrain) {
      this.#write({ ack: { seq: this.#owedAck } })
      this.#owedAck = undefined
    }
  }

  #write(message: Record<string, object>): void {
    if (this.isOver) return
    const wire = backflow.v1.AnalyzerMessage
    this.#call.write(Buffer.from(wire.encode(wire.fromObject(message)).finish()))
  }
}

/** A client certificate where one was shown, else the address; everybody at a unix socket is one peer. */
function peerOf(call: CollectorCall): string {
  const certificate = call.getAuthContext().sslPeerCertificate
  if (certificate !== undefined) return `certificate ${certificate.fingerprint256}`
  const peer = call.getPeer()
  return peer === "unknown" ? "unix socket" : peer.replace(/:\d+$/, "")
}
