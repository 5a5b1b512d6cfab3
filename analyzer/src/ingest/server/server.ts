import { Server, status } from "@grpc/grpc-js"
import type { Metadata, ServiceDefinition } from "@grpc/grpc-js"
import { HealthImplementation } from "grpc-health-check"
import { isSameSecret } from "../../config/secrets.js"
import type { HostFacts } from "../../domain/identity.js"
import { bootKey } from "../../domain/keys.js"
import type { Networks } from "../../domain/networks.js"
import type { Log } from "../../telemetry/log.js"
import { CollectorStream } from "./collector-stream.js"
import type { CollectorCall } from "./collector-stream.js"
import { decode, protocolVersion } from "../decode/decode.js"
import type { Hello } from "../decode/decode.js"
import { ProcessDictionary } from "../decode/dictionary.js"
import { Gates } from "./gate.js"
import type { Intake } from "./intake.js"
import { wireLimits } from "../decode/wire-limits.js"
import { listen } from "./listener.js"
import { conflictOf, streamToDrop } from "./peers.js"
import type { Peers } from "./peers.js"
import type { ListenOptions, Listener } from "./listener.js"
import type { Recorder } from "./recording.js"
import type { RejectionReason, Rejections } from "../decode/rejections.js"
import type { CollectorSession } from "./session.js"
import { Sessions } from "./sessions.js"
import type { Source } from "./shares.js"

/** One message on its way to the pipeline of its host. The first of a stream is its Hello. */
export interface Received {
  readonly stream: CollectorStream
  readonly bytes: Uint8Array
  readonly hello: HostFacts | undefined
  /** Another peer speaks for this host: what is shown of it stays as that one said. */
  readonly isConflict: boolean
  readonly source: Source
}

export interface ServerOptions extends ListenOptions {
  /** What collectors must send as bearer token; undefined lets everybody in who can reach the socket. */
  readonly token?: string | undefined
  readonly streams: number
  /** Largest window granted to one collector, in batches. */
  readonly window: number
  /** Share of the intake that one collector may fill, in bytes. */
  readonly queuedBytes: number
}

export interface ServerPorts {
  readonly intake: Intake<Received>
  readonly intakeMessages: number
  readonly sessions: Sessions
  readonly peers: Peers
  readonly rejections: Rejections
  readonly networks: Networks
  readonly nowUs: () => number
  readonly log: Log
  readonly recorder: Recorder | undefined
}

const buffers = {
  requestStream: true,
  responseStream: true,
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
}

/** backflow.v1.Collector with messages as plain bytes: whoever takes them from the intake decodes them, at its own pace. */
const collectorService = {
  stream: { path: "/backflow.v1.Collector/Stream", ...buffers },
} satisfies ServiceDefinition

/** First byte of a Hello: field 1 of CollectorMessage, length-delimited. Nothing else is decoded before it. */
const helloTag = 0x0a

/** How long statuses have to get out when the analyzer stops, in milliseconds. */
const shutdownMs = 500

/** Names that the health service knows: the whole server, and what collectors call. */
const healthNames = ["", "backflow.v1.Collector"] as const

/** The gRPC server: which collectors may send, and how much at a time. It decodes nothing but Hello. */
export class CollectorServer {
  readonly #options: ServerOptions
  readonly #ports: ServerPorts
  readonly #gates = new Gates()
  readonly #server: Server
  /** grpc.health.v1.Health, for probes that speak gRPC; it needs no token. */
  readonly #health = new HealthImplementation(Object.fromEntries(healthNames.map((name) => [name, "SERVING"])))
  readonly #streams = new Set<CollectorStream>()
  #listener: Listener | undefined
  #isStopping = false

  constructor(options: ServerOptions, ports: ServerPorts) {
    this.#options = options
    this.#ports = ports
    this.#server = new Server({
      interceptors: [this.#gates.interceptor],
      "grpc.max_receive_message_length": wireLimits.messageBytes,
      // Per connection; one more than allowed, so that the refusal can say why.
      "grpc.max_concurrent_streams": options.streams + 1,
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 10_000,
      // Both keep what they know of ended calls.
      "grpc.enable_channelz": 0,
      "grpc.enable_retries": 0,
    })
    this.#server.addService(collectorService, { stream: (call: CollectorCall) => this.#open(call) })
    this.#health.addToServer(this.#server)
  }

  get streams(): number {
    return this.#streams.size
  }

  /** Resolves with the address that collectors can dial. */
  async start(): Promise<string> {
    this.#listener = await listen(this.#server, this.#options)
    return this.#listener.address
  }

  /** Takes no new connections and reads no more messages; acks still go out. */
  refuse(): void {
    this.#isStopping = true
    for (const name of healthNames) this.#health.setStatus(name, "NOT_SERVING")
    this.#listener?.refuse()
  }

  /** Ends what is open: a collector reconnects and sends again what was not acknowledged. */
  async stop(): Promise<void> {
    for (const stream of this.#streams) stream.fail(status.UNAVAILABLE, "the analyzer stops")
    // So that the status still gets out; a peer that does not take it is cut off.
    await new Promise<void>((resolve) => {
      const cutOff = setTimeout(resolve, shutdownMs)
      this.#server.tryShutdown(() => {
        clearTimeout(cutOff)
        resolve()
      })
    })
    this.#server.forceShutdown()
    this.#listener?.close()
  }

  #open(call: CollectorCall): void {
    const stream = new CollectorStream(call, this.#windowFor(this.#streams.size + 1))
    call.on("error", () => stream.disconnect())
    if (!isAuthorized(call.metadata, this.#options.token)) {
      this.#refuse(stream, "unauthenticated", status.UNAUTHENTICATED, "a valid bearer token is needed")
      return
    }
    if (this.#streams.size >= this.#options.streams && !this.#makeRoom(stream)) {
      this.#refuse(stream, "too_many_streams", status.RESOURCE_EXHAUSTED, `${this.#streams.size} collectors are connected already`) // prettier-ignore
      return
    }
    this.#streams.add(stream)
    this.#shareWindows()
    this.#gates.of(call.metadata)?.holdWhile((whenFree) => this.#isHeld(stream, whenFree))
    call.on("data", (bytes: Buffer) => this.#receive(stream, bytes))
    call.on("end", () => stream.halfClose())
    call.once("close", () => this.#close(stream))
  }

  /** Ends a stream of a peer that has more of them than this one; false where there is none. */
  #makeRoom({ peer }: CollectorStream): boolean {
    const other = streamToDrop(this.#streams, peer)
    if (other === undefined) return false
    this.#refuse(other, "too_many_streams", status.RESOURCE_EXHAUSTED, `${this.#streams.size} collectors are connected, most of them from ${other.peer}`) // prettier-ignore
    this.#close(other)
    return true
  }

  #close(stream: CollectorStream): void {
    stream.disconnect()
    this.#ports.sessions.detach(stream)
    this.#ports.recorder?.end(stream)
    if (this.#streams.delete(stream)) this.#shareWindows()
  }

  #receive(stream: CollectorStream, bytes: Buffer): void {
    if (stream.isOver) return
    const isFirst = stream.session === undefined
    const greeting = isFirst ? this.#greet(stream, bytes) : undefined
    // Undefined where the stream was ended over its Hello.
    const { session } = stream
    if (session === undefined || (isFirst && greeting === undefined)) return
    const { hello, isConflict } = greeting ?? { hello: undefined, isConflict: false }
    this.#offer({ stream, bytes, hello, isConflict, source: sourceOf(stream, session) })
  }

  #offer(received: Received): void {
    this.#ports.recorder?.append(received.stream, received.bytes)
    received.stream.offered(received.bytes.length)
    this.#ports.intake.offer(received)
  }

  /** Reads the first message of a stream. Undefined when the stream was ended over it. */
  #greet(
    stream: CollectorStream,
    bytes: Buffer,
  ): { readonly hello: HostFacts; readonly isConflict: boolean } | undefined {
    const hello = this.#readHello(bytes)
    if ("refusal" in hello) {
      const isVersion = hello.reason === "protocol_version"
      this.#refuse(stream, hello.reason, isVersion ? status.FAILED_PRECONDITION : status.INVALID_ARGUMENT, hello.refusal) // prettier-ignore
      return undefined
    }
    if (!this.#ports.peers.introduce(stream.peer, hello.host)) {
      this.#refuse(stream, "too_many_hosts", status.RESOURCE_EXHAUSTED, `${stream.peer} has brought too many hosts`)
      return undefined
    }
    const conflict = conflictOf(this.#streams, stream, hello.host)
    if (conflict !== undefined) this.#reportConflict(stream, conflict, hello.host)
    const { session, replaced } = this.#ports.sessions.attach(stream, hello.host)
    replaced?.fail(status.ABORTED, "a newer stream of the same collector took over")
    stream.open(session, this.#ports.networks)
    this.#ports.log.info({ host: hello.host.hostName, version: hello.host.collectorVersion }, "collector connected")
    return { hello: hello.host, isConflict: conflict !== undefined }
  }

  #reportConflict(stream: CollectorStream, other: CollectorStream, { hostName, hostId }: HostFacts): void {
    if (!this.#count("host_conflict")) return
    const peers = [other.peer, stream.peer]
    const text = "a second collector names this host from another peer: one of them is false, or machines are cloned"
    this.#ports.log.warn({ host: hostName, hostId, peers }, text)
  }

  #readHello(bytes: Buffer): Hello | { readonly refusal: string; readonly reason: RejectionReason } {
    if (bytes[0] !== helloTag) return { refusal: "the first message must be Hello", reason: "hello" }
    const reject = this.#ports.rejections.count
    const decoded = decode(bytes, { dictionary: new ProcessDictionary(), nowUs: this.#ports.nowUs(), reject })
    if (decoded.kind === "malformed") return { refusal: decoded.detail, reason: decoded.reason }
    if (decoded.kind !== "hello") return { refusal: "the first message must be Hello", reason: "hello" }
    const { protocol } = decoded.hello
    if (protocol !== protocolVersion)
      return {
        refusal: `the collector speaks protocol ${protocol}, this analyzer ${protocolVersion}: update the ${protocol > protocolVersion ? "analyzer" : "collector"}`,
        reason: "protocol_version",
      }
    return decoded.hello
  }

  #refuse(stream: CollectorStream, reason: RejectionReason, code: status, details: string): void {
    if (this.#count(reason)) this.#ports.log.warn({ reason, peer: stream.peer }, `refused a stream: ${details}`)
    stream.fail(code, details)
  }

  /** Whether to log it: a doubling at a time, for whoever is refused may try again for ever. */
  #count(reason: RejectionReason): boolean {
    const { rejections } = this.#ports
    rejections.count(reason)
    return Number.isInteger(Math.log2(rejections.of(reason)))
  }

  /** A stream waits while it, its host or its peer has its share of the intake waiting there. */
  #isHeld(stream: CollectorStream, whenFree: () => void): boolean {
    if (this.#isStopping) return true
    const { session } = stream
    // Before Hello there is one message, and nothing yet to whom it could be counted.
    if (session === undefined) return false
    const isFull = stream.queuedMessages >= stream.window || stream.queuedBytes >= this.#options.queuedBytes
    if (!isFull && this.#ports.intake.hasRoom(sourceOf(stream, session))) return false
    this.#ports.intake.whenRoom(whenFree)
    return true
  }

  #windowFor(streams: number): number {
    return Math.max(1, Math.min(this.#options.window, Math.floor(this.#ports.intakeMessages / streams)))
  }

  #shareWindows(): void {
    const window = this.#windowFor(Math.max(1, this.#streams.size))
    for (const stream of this.#streams) stream.grant(window)
  }
}

function sourceOf({ peer }: CollectorStream, { host }: CollectorSession): Source {
  return { peer, host: bootKey(host) }
}

/** Whether the call carries "authorization: Bearer <token>". */
function isAuthorized(metadata: Metadata, token: string | undefined): boolean {
  if (token === undefined) return true
  const sent = metadata.get("authorization")
  const [value] = sent
  if (sent.length !== 1 || typeof value !== "string" || !value.startsWith("Bearer ")) return false
  return isSameSecret(value.slice("Bearer ".length), token)
}
