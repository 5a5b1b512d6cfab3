/** Which shells and outside connections a batch has moved, and the pairs of them that are worth a look. */
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { ProcessKey } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

export interface Pair {
  readonly attachment: Attachment
  readonly outside: Connection
}

export class Moved {
  #attachments = new Set<Attachment>()
  #connections = new Set<string>()
  readonly #connectionTurns = new Turns<Connection>()
  readonly #attachmentTurns = new Turns<Attachment>()

  addAttachment(attachment: Attachment, previous: Attachment | undefined): void {
    if (previous !== undefined) this.#attachments.delete(previous)
    if (!attachment.gone && attachment.kind !== "tun") this.#attachments.add(attachment)
  }

  addConnection(cookie: string): void {
    this.#connections.add(cookie)
  }

  forget(process: ProcessKey): void {
    this.#connectionTurns.forget(process)
    this.#attachmentTurns.forget(process)
  }

  /** Pairs in which a side has moved since the last call, each once. */
  take(view: View): readonly Pair[] {
    const [attachments, connections] = [this.#attachments, this.#connections]
    if (attachments.size === 0 && connections.size === 0) return []
    this.#attachments = new Set()
    this.#connections = new Set()
    const pairs: Pair[] = []
    for (const cookie of connections) {
      const outside = view.connection(cookie)
      if (outside?.process === undefined) continue
      for (const attachment of this.#attachmentTurns.next(outside.process, () =>
        view.attachmentsOf(outside.process ?? ""),
      ))
        if (!attachments.has(attachment) && concerns(attachment, outside)) pairs.push({ attachment, outside })
    }
    for (const attachment of attachments)
      for (const outside of this.#outsideOf(attachment, view)) pairs.push({ attachment, outside })
    return pairs
  }

  #outsideOf({ kind, process, cookie }: Attachment, view: View): Iterable<Connection> {
    if (kind !== "stdio-socket") return this.#connectionTurns.next(process, () => view.connectionsOf(process))
    const outside = view.connection(cookie)
    return outside === undefined ? [] : [outside]
  }
}

/** A connection moves what is behind it: the shell whose stdio it is, or those of which its owner holds the other end. */
function concerns({ kind, process, cookie }: Attachment, outside: Connection): boolean {
  if (kind === "tun") return false
  return kind === "stdio-socket" ? cookie === outside.cookie : process === outside.process
}

/** Goes through what a process has, so much at a time, and begins again when it is through. */
class Turns<T> {
  /** Only of those that were not through at once. */
  readonly #positions = new Map<ProcessKey, Iterator<T>>()

  forget(process: ProcessKey): void {
    this.#positions.delete(process)
  }

  *next(process: ProcessKey, all: () => Iterable<T>): Generator<T> {
    const position = this.#positions.get(process) ?? all()[Symbol.iterator]()
    for (let i = 0; i < limits.comparedPerRecord; i++) {
      const next = position.next()
      if (next.done === true) {
        this.#positions.delete(process)
        return
      }
      yield next.value
    }
    this.#positions.set(process, position)
  }
}
