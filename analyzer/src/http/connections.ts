import type { Socket } from "node:net"

/**
 * Connections that have shown no token, at once. One is accepted at each turn of the event loop, so that one which asks at
 * once is read long before as many others have come after it.
 */
const maxUnknown = 1_024

/**
 * The open connections of a listener. Where too many have shown no token, the oldest of those is dropped and not the new
 * one: whoever holds them half-open keeps neither probes nor readers out.
 */
export class Connections {
  readonly #maxAuthenticated: number
  readonly #onDropped: () => void
  /** By far end; the oldest first. */
  readonly #unknown = new Map<string, Socket>()
  readonly #authenticated = new Set<string>()

  constructor(maxAuthenticated: number, onDropped: () => void) {
    this.#maxAuthenticated = maxAuthenticated
    this.#onDropped = onDropped
  }

  accept(socket: Socket): void {
    const key = farEnd(socket)
    this.#unknown.set(key, socket)
    socket.once("close", () => {
      this.#authenticated.delete(key)
      if (this.#unknown.get(key) === socket) this.#unknown.delete(key)
    })
    if (this.#unknown.size <= maxUnknown) return
    const oldest = this.#unknown.entries().next()
    if (oldest.done === true) return
    this.#unknown.delete(oldest.value[0])
    oldest.value[1].destroy()
    this.#onDropped()
  }

  /** It has shown the token: it is kept while it likes. Beyond so many, one stays among those that may be dropped. */
  authenticate(socket: Socket): void {
    const key = farEnd(socket)
    if (this.#authenticated.size >= this.#maxAuthenticated || !this.#unknown.delete(key)) return
    this.#authenticated.add(key)
  }
}

/** Also of a TLS socket: it has the far end of the one below it. */
function farEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ""} ${remotePort ?? 0}`
}
