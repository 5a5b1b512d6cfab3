import type { Attachment, CouplingEdge } from "../domain/coupling.js"
import type { ProcessKey } from "../domain/identity.js"
import { KeyedSets } from "../domain/keyed-sets.js"
import type { TrackerLimits } from "./limits.js"

/** Coupling edges of one collector instance, the least recently told first to go when there are too many. */
export class EdgeTable {
  readonly #limits: TrackerLimits
  /** In the order of the last update. */
  readonly #edges = new Map<string, CouplingEdge>()
  readonly #byGroup = new KeyedSets<string, string>()
  readonly #byCookie = new KeyedSets<string, string>()
  /** Given up or expired, and not told of yet. */
  #gone: CouplingEdge[] = []
  #evicted = 0

  constructor(limits: TrackerLimits) {
    this.#limits = limits
  }

  get evicted(): number {
    return this.#evicted
  }

  ofGroup(group: string): readonly CouplingEdge[] {
    return this.#byGroup.get(group).flatMap((id) => this.#edges.get(id) ?? [])
  }

  ofConnection(cookie: string): readonly CouplingEdge[] {
    return this.#byCookie.get(cookie).flatMap((id) => this.#edges.get(id) ?? [])
  }

  /** What was known before; false when the edge is older than that, and nothing changed. */
  put(edge: CouplingEdge): { readonly previous: CouplingEdge | undefined } | false {
    const id = edgeId(edge)
    const previous = this.#edges.get(id)
    if (previous !== undefined && previous.lastUs > edge.lastUs) return false
    if (previous !== undefined) this.#delete(id, previous)
    else if (this.#edges.size >= this.#limits.edges) this.#evictOne()
    this.#edges.set(id, edge)
    this.#byGroup.add(edge.group, id)
    this.#byCookie.add(edge.aCookie, id)
    return { previous }
  }

  expire(nowUs: number): void {
    for (const [id, edge] of this.#edges) {
      if (edge.lastUs + this.#limits.silentEdgeUs > nowUs) return
      this.#giveUp(id, edge)
    }
  }

  /** Another run of the collector counts from zero: what this one told is over. */
  clear(): void {
    for (const [id, edge] of this.#edges) this.#giveUp(id, edge)
  }

  /** Edges that left since the last call. */
  takeGone(): readonly CouplingEdge[] {
    const gone = this.#gone
    if (gone.length > 0) this.#gone = []
    return gone
  }

  #evictOne(): void {
    for (const [id, edge] of this.#edges) {
      this.#giveUp(id, edge)
      this.#evicted += 1
      return
    }
  }

  #giveUp(id: string, edge: CouplingEdge): void {
    this.#delete(id, edge)
    this.#gone.push(edge)
  }

  #delete(id: string, edge: CouplingEdge): void {
    this.#edges.delete(id)
    this.#byGroup.delete(edge.group, id)
    this.#byCookie.delete(edge.aCookie, id)
  }
}

function edgeId({ group, kind, aRemote, bRemote, bPath }: CouplingEdge): string {
  return [group, kind, aRemote.address, aRemote.port, bRemote.address, bRemote.port, bPath].join(" ")
}

/** What processes hold besides sockets, while they hold it. */
export class AttachmentTable {
  readonly #limits: TrackerLimits
  readonly #attachments = new Map<string, Attachment>()
  readonly #byProcess = new KeyedSets<ProcessKey, string>()
  #evicted = 0

  constructor(limits: TrackerLimits) {
    this.#limits = limits
  }

  get evicted(): number {
    return this.#evicted
  }

  ofProcess(process: ProcessKey): readonly Attachment[] {
    return this.#byProcess.get(process).flatMap((id) => this.#attachments.get(id) ?? [])
  }

  /** What was known before; false when the attachment is older than that, and nothing changed. */
  put(attachment: Attachment): { readonly previous: Attachment | undefined } | false {
    const id = attachmentId(attachment)
    const previous = this.#attachments.get(id)
    if (previous !== undefined && previous.observedUs > attachment.observedUs) return false
    if (attachment.gone) {
      if (previous !== undefined) this.#delete(id, previous)
      return { previous }
    }
    if (previous === undefined && this.#attachments.size >= this.#limits.attachments) this.#evictOne()
    this.#attachments.set(id, attachment)
    this.#byProcess.add(attachment.process, id)
    if (attachment.child !== undefined) this.#byProcess.add(attachment.child, id)
    return { previous }
  }

  #evictOne(): void {
    for (const [id, attachment] of this.#attachments) {
      this.#delete(id, attachment)
      this.#evicted += 1
      return
    }
  }

  #delete(id: string, { process, child }: Attachment): void {
    this.#attachments.delete(id)
    this.#byProcess.delete(process, id)
    if (child !== undefined) this.#byProcess.delete(child, id)
  }
}

function attachmentId({ kind, process, child, cookie }: Attachment): string {
  return [kind, process, child ?? "", cookie].join(" ")
}
