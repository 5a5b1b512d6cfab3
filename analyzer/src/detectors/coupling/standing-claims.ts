/** The standing claims, and whether what they rest on still lives. */
import type { Claim } from "../../domain/detector.js"
import type { Connection } from "../../domain/connection.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Microseconds } from "../../domain/identity.js"
import { KeyedSets } from "../../domain/keyed-sets.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"

/** Claims that are looked at with each tick although nothing was heard: a connection that is given up says no word. */
const checkedPerTick = 16

/** The few edges that a claim shows stand for all that it rests on. */
type Basis = readonly CouplingEdge[]

/**
 * A tunnel that opens an outside connection per channel lives as long as its processes hold any to the same place. Only
 * the claims on what ended are looked at.
 */
export class StandingClaims {
  readonly #book = new ClaimBook<Basis>()
  /** Groups by what a claim on them rests on: cookies of A, and owners with the address of A. */
  readonly #restingOn = new KeyedSets<string, string>()
  readonly #ended = new Set<string>()
  #rotation = this.#book.all()[Symbol.iterator]()

  /** Claims that were forgotten for want of room, so far. */
  get evicted(): number {
    return this.#book.evicted
  }

  get(group: string): Claim | undefined {
    return this.#book.get(group)?.claim
  }

  record(claim: Claim, basis: Basis, view: View): readonly Claim[] {
    this.#unlink(claim.subject)
    for (const key of basis.flatMap(keysOf)) this.#restingOn.add(key, claim.subject)
    return this.#book.record(claim, basis, view)
  }

  observe(connection: Connection, previous: Connection | undefined): void {
    const before = previous ?? connection
    const over = connection.closed !== undefined
    if (over) this.#end(connection.cookie)
    const hasMoved = before.process !== connection.process || before.remote.address !== connection.remote.address
    if ((over || hasMoved) && before.process !== undefined) this.#end(placeKey(before.process, before.remote.address))
  }

  endClaims(nowUs: Microseconds, view: View): readonly Claim[] {
    const groups = new Set<string>()
    for (const key of this.#ended)
      for (const group of this.#restingOn.get(key)) {
        if (this.#book.get(group) !== undefined) groups.add(group)
        // Its claim was forgotten for want of room.
        else this.#restingOn.delete(key, group)
      }
    this.#ended.clear()
    for (let i = 0; i < checkedPerTick; i++) {
      const next = this.#rotation.next()
      if (next.done === true) {
        this.#rotation = this.#book.all()[Symbol.iterator]()
        break
      }
      groups.add(next.value[0])
    }
    return [...groups].flatMap((group) => {
      if (this.#book.get(group)?.basis.some((edge) => outsideLives(edge, view)) !== false) return []
      this.#unlink(group)
      return this.#book.end(group, nowUs)
    })
  }

  #end(key: string): void {
    if (this.#restingOn.has(key)) this.#ended.add(key)
  }

  #unlink(group: string): void {
    for (const key of this.#book.get(group)?.basis.flatMap(keysOf) ?? []) this.#restingOn.delete(key, group)
  }
}

function outsideLives({ aCookie, aProcess, aRemote }: CouplingEdge, view: View): boolean {
  const a = view.connection(aCookie)
  if (a && a.closed === undefined) return true
  return aProcess !== undefined && view.isConnected(aProcess, aRemote.address)
}

function keysOf({ aCookie, aProcess, aRemote }: CouplingEdge): readonly string[] {
  return aProcess === undefined ? [aCookie] : [aCookie, placeKey(aProcess, aRemote.address)]
}

function placeKey(process: string, address: string): string {
  return `${process} ${address}`
}
