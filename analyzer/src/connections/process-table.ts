import { accountOf } from "../domain/identity.js"
import type { ProcessFacts, ProcessKey } from "../domain/identity.js"
import { KeyedSets } from "../domain/keyed-sets.js"
import { Portions } from "../domain/portions.js"
import type { TrackerLimits } from "./limits.js"

/** How far up a lineage is shown: more is no news to a person, and one may bite its tail. */
const shownAncestors = 8

/** Facts about processes of one host and boot. An ended one stays while a child of it is known: lineage must not break. */
export class ProcessTable {
  readonly #limits: TrackerLimits
  readonly #facts = new Map<ProcessKey, ProcessFacts>()
  readonly #children = new KeyedSets<ProcessKey, ProcessKey>()
  /** Ended processes and when, in the order of ending; `overdue` ones wait for their last child only. */
  readonly #ended = new Map<ProcessKey, number>()
  readonly #overdue = new Set<ProcessKey>()
  /** Who answers for a process, from its first facts on, and what of it has ended. */
  readonly #accounts = new Map<ProcessKey, string>()
  readonly #portions = new Portions<ProcessKey>()
  readonly #endedOf = new Portions<ProcessKey>()
  #evicted = 0

  constructor(limits: TrackerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#facts.size
  }

  /** Processes forgotten early because the table was full. */
  get evicted(): number {
    return this.#evicted
  }

  get(key: ProcessKey): ProcessFacts | undefined {
    return this.#facts.get(key)
  }

  childrenOf(key: ProcessKey): Iterable<ProcessKey> {
    return this.#children.values(key)
  }

  /** Nearest first. */
  ancestors(key: ProcessKey): readonly ProcessFacts[] {
    const above: ProcessFacts[] = []
    let facts = this.#parentOf(key)
    while (facts !== undefined && above.length < shownAncestors) {
      above.push(facts)
      facts = this.#parentOf(facts.key)
    }
    return above
  }

  /** The first known parent stays: a process whose parent ends is handed to another one that did not start it. */
  learn(facts: ProcessFacts): ProcessFacts {
    const previous = this.#facts.get(facts.key)
    const parent = previous?.parent ?? (facts.parent === facts.key ? undefined : facts.parent)
    const learnt = { ...facts, parent }
    if (previous === undefined && this.#facts.size >= this.#limits.processes) this.#evictOne()
    if (previous === undefined) this.#begin(facts)
    this.#facts.set(facts.key, learnt)
    this.#ended.delete(facts.key)
    this.#overdue.delete(facts.key)
    this.#endedOf.delete(this.#accounts.get(facts.key) ?? "", facts.key)
    if (parent !== undefined) this.#children.add(parent, facts.key)
    return learnt
  }

  end(key: ProcessKey, atUs: number): void {
    const isRunning = this.#facts.has(key) && !this.#ended.has(key) && !this.#overdue.has(key)
    if (!isRunning) return
    this.#ended.set(key, atUs)
    this.#endedOf.add(this.#accounts.get(key) ?? "", key)
  }

  /** A new collector names every process again that it speaks of: the others end unless it does. */
  endAll(atUs: number): void {
    for (const key of this.#facts.keys()) this.end(key, atUs)
  }

  expire(nowUs: number): void {
    for (const [key, endedUs] of this.#ended) {
      if (endedUs + this.#limits.endedProcessUs > nowUs) return
      this.#ended.delete(key)
      if (this.#children.has(key)) this.#overdue.add(key)
      else this.#forget(key)
    }
  }

  #parentOf(key: ProcessKey): ProcessFacts | undefined {
    const parent = this.#facts.get(key)?.parent
    return parent === undefined ? undefined : this.#facts.get(parent)
  }

  #forget(key: ProcessKey): void {
    let next: ProcessKey | undefined = key
    while (next !== undefined) {
      const parent: ProcessKey | undefined = this.#facts.get(next)?.parent
      this.#facts.delete(next)
      this.#ended.delete(next)
      this.#overdue.delete(next)
      this.#settle(next)
      if (parent !== undefined) this.#children.delete(parent, next)
      next = parent !== undefined && this.#overdue.has(parent) && !this.#children.has(parent) ? parent : undefined
    }
  }

  #begin(facts: ProcessFacts): void {
    const account = accountOf(facts)
    this.#accounts.set(facts.key, account)
    this.#portions.add(account, facts.key)
  }

  #settle(key: ProcessKey): void {
    const account = this.#accounts.get(key) ?? ""
    this.#accounts.delete(key)
    this.#portions.delete(account, key)
    this.#endedOf.delete(account, key)
  }

  /** Of the account that has most: what ended first goes first, then the oldest. */
  #evictOne(): void {
    const account = this.#portions.largest() ?? ""
    for (const keys of [this.#endedOf.keys(account), this.#portions.keys(account)])
      for (const key of keys) {
        this.#forget(key)
        this.#evicted += 1
        return
      }
  }
}
