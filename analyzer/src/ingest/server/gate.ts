import { ResponderBuilder, ServerInterceptingCall, ServerListenerBuilder } from "@grpc/grpc-js"
import type { Metadata, ServerInterceptor } from "@grpc/grpc-js"

/**
 * Holds back the messages of one call. The next message is not read from the socket before this one was let through, so
 * that at most one waits here. (Pausing the stream object instead would let it read 16 more.)
 */
class Gate {
  #isHeld: (whenFree: () => void) => boolean = () => false
  #waiting: (() => void) | undefined

  /** `isHeld` tells whether to wait, and if so calls back once when it is worth another try. */
  holdWhile(isHeld: (whenFree: () => void) => boolean): void {
    this.#isHeld = isHeld
  }

  pass(deliver: () => void): void {
    this.#waiting = deliver
    this.#try()
  }

  #try(): void {
    const deliver = this.#waiting
    if (deliver === undefined || this.#isHeld(() => this.#try())) return
    this.#waiting = undefined
    deliver()
  }
}

/** The gates of a server, by the metadata object of each call: the one thing that interceptor and handler both see. */
export class Gates {
  readonly #byMetadata = new WeakMap<Metadata, Gate>()

  of(metadata: Metadata): Gate | undefined {
    return this.#byMetadata.get(metadata)
  }

  readonly interceptor: ServerInterceptor = (_method, call) => {
    const gate = new Gate()
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        this.#byMetadata.set(metadata, gate)
        next(metadata)
      })
      .withOnReceiveMessage((message, next) => gate.pass(() => next(message)))
      .build()
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build())
  }
}
