/** An index from one key to several values; a key without values takes no room. */
export class KeyedSets<Key, Value> {
  readonly #sets = new Map<Key, Set<Value>>()

  /** All at once: not for a path on which a key may have values by the thousand. */
  get(key: Key): readonly Value[] {
    return [...this.values(key)]
  }

  /** As they are while they are walked; nothing is copied. */
  values(key: Key): Iterable<Value> {
    return this.#sets.get(key) ?? []
  }

  count(key: Key): number {
    return this.#sets.get(key)?.size ?? 0
  }

  has(key: Key): boolean {
    return this.#sets.has(key)
  }

  add(key: Key, value: Value): void {
    const set = this.#sets.get(key)
    if (set === undefined) this.#sets.set(key, new Set([value]))
    else set.add(value)
  }

  delete(key: Key, value: Value): void {
    const set = this.#sets.get(key)
    if (set?.delete(value) === true && set.size === 0) this.#sets.delete(key)
  }
}
