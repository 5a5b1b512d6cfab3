import { OrderedSet } from "./ordered-set.js"

/**
 * Who has how much of a bounded table, so that what must go is taken from the one who has most: nobody pushes out what
 * others have by having very much. Each step takes the same time, however many there are.
 */
export class Portions<Key> {
  /** Keys of each owner, the longest there first. */
  readonly #keys = new Map<string, OrderedSet<Key>>()
  /** Owners by how many keys they have, the longest so first. */
  readonly #owners = new Map<number, Set<string>>()
  #max = 0

  /** Of the owner, the longest there first. */
  keys(owner: string): Iterable<Key> {
    return this.#keys.get(owner) ?? []
  }

  count(owner: string): number {
    return this.#keys.get(owner)?.size ?? 0
  }

  /** The owner that has most; undefined when nobody has anything. */
  largest(): string | undefined {
    for (const owner of this.#owners.get(this.#max) ?? []) return owner
    return undefined
  }

  /** A key that is there already becomes the newest of its owner. */
  add(owner: string, key: Key): void {
    const keys = this.#keys.get(owner) ?? new OrderedSet<Key>()
    this.#keys.set(owner, keys)
    const before = keys.size
    keys.add(key)
    if (keys.size !== before) this.#move(owner, before, keys.size)
  }

  delete(owner: string, key: Key): void {
    const keys = this.#keys.get(owner)
    if (keys?.delete(key) !== true) return
    if (keys.size === 0) this.#keys.delete(owner)
    this.#move(owner, keys.size + 1, keys.size)
  }

  #move(owner: string, before: number, after: number): void {
    const left = this.#owners.get(before)
    left?.delete(owner)
    if (left?.size === 0) this.#owners.delete(before)
    if (after > 0) {
      const joined = this.#owners.get(after)
      if (joined === undefined) this.#owners.set(after, new Set([owner]))
      else joined.add(owner)
    }
    if (after > this.#max || !this.#owners.has(this.#max)) this.#max = after
  }
}
