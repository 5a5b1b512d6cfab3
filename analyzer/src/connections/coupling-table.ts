import type { CouplingEdge } from "../domain/coupling.js"
import type { ProcessKey } from "../domain/identity.js"
import { KeyedSets } from "../domain/keyed-sets.js"
import { Portions } from "../domain/portions.js"
import { goOn } from "./edge-lives.js"
import type { EdgeLife } from "./edge-lives.js"
import type { TrackerLimits } from "./limits.js"

/** Who answers for what a process holds. */
export type AccountOf = (process: ProcessKey | undefined) => string

interface Entry extends EdgeLife {
  readonly account: string
}

/**
 * Coupling edges of one collector instance. When there are too many of one group, the least recently told of it goes; when
 * there are too many in all, that of the account that has most.
 */
export class EdgeTable {
  readonly #limits: TrackerLimits
  readonly #accountOf: AccountOf
  /** In the order of the last update. */
  readonly #edges = new Map<string, Entry>()
  readonly #byGroup = new KeyedSets<string, string>()
  readonly #byCookie = new KeyedSets<string, string>()
  readonly #portions = new Portions<string>()
  /** Given up or expired, and not reported yet. */
  #gone: CouplingEdge[] = []
  #evicted = 0

  constructor(limits: TrackerLimits, accountOf: AccountOf) {
    this.#limits = limits
    this.#accountOf = accountOf
  }

  get size(): number {
    return this.#edges.size
  }

  get evicted(): number {
    return this.#evicted
  }

  ofGroup(group: string): readonly CouplingEdge[] {
    return this.#byGroup.get(group).flatMap((id) => this.#edges.get(id)?.edge ?? [])
  }

  *ofConnection(cookie: string): Generator<CouplingEdge> {
    for (const id of this.#byCookie.values(cookie)) {
      const entry = this.#edges.get(id)
      if (entry !== undefined) yield entry.edge
    }
  }

  /** As it stands with its earlier lives, and as it was before; undefined when it is older than that: nothing changed. */
  put(update: CouplingEdge): { readonly edge: CouplingEdge; readonly previous: CouplingEdge | undefined } | undefined {
    const id = edgeId(update)
    const previous = this.#edges.get(id)
    if (previous !== undefined && previous.edge.lastUs > update.lastUs) return undefined
    if (previous !== undefined) this.#delete(id, previous)
    else this.#makeRoom(update.group)
    const account = previous?.account ?? this.#accountOf(update.aProcess ?? update.bProcess)
    const life = goOn(previous, update)
    this.#edges.set(id, { ...life, account })
    this.#byGroup.add(update.group, id)
    this.#byCookie.add(update.aCookie, id)
    this.#portions.add(account, id)
    return { edge: life.edge, previous: previous?.edge }
  }

  expire(nowUs: number): void {
    for (const [id, entry] of this.#edges) {
      if (entry.edge.lastUs + this.#limits.silentEdgeUs > nowUs) return
      this.#giveUp(id, entry)
    }
  }

  /** Another run of the collector counts from zero: what this one reported is over. */
  clear(): void {
    for (const [id, entry] of this.#edges) this.#giveUp(id, entry)
  }

  /** Edges that left since the last call. */
  takeGone(): readonly CouplingEdge[] {
    const gone = this.#gone
    if (gone.length > 0) this.#gone = []
    return gone
  }

  #makeRoom(group: string): void {
    if (this.#byGroup.count(group) >= this.#limits.edgesOfGroup) this.#evictFirst(this.#byGroup.values(group))
    if (this.#edges.size >= this.#limits.edges) this.#evictFirst(this.#portions.keys(this.#portions.largest() ?? ""))
  }

  #evictFirst(ids: Iterable<string>): void {
    for (const id of ids) {
      const entry = this.#edges.get(id)
      if (entry === undefined) continue
      this.#giveUp(id, entry)
      this.#evicted += 1
      return
    }
  }

  #giveUp(id: string, entry: Entry): void {
    this.#delete(id, entry)
    this.#portions.delete(entry.account, id)
    this.#gone.push(entry.edge)
  }

  /** But for its portion, which a newer version takes over. */
  #delete(id: string, { edge }: Entry): void {
    this.#edges.delete(id)
    this.#byGroup.delete(edge.group, id)
    this.#byCookie.delete(edge.aCookie, id)
  }
}

/** What joins a process to the group may turn out to be more than its workload: it is the same edge. */
function edgeId({ group, joinedBy, kind, aRemote, bRemote, bPath }: CouplingEdge): string {
  return [
    group,
    joinedBy === "lineage",
    kind,
    aRemote.address,
    aRemote.port,
    bRemote.address,
    bRemote.port,
    bPath,
  ].join(" ")
}
