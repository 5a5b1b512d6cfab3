interface Link<Key> {
  readonly key: Key
  before: Link<Key> | undefined
  after: Link<Key> | undefined
}

/**
 * Keys in the order in which they were added last, of which the first ones go. A Set has that order too, but leaves a gap for
 * what is deleted, and a look for its first key walks over all gaps at its beginning: thousands, in a table that is full.
 */
export class OrderedSet<Key> {
  readonly #links = new Map<Key, Link<Key>>()
  #first: Link<Key> | undefined
  #last: Link<Key> | undefined

  get size(): number {
    return this.#links.size
  }

  /** A key that is there already becomes the last. */
  add(key: Key): void {
    const known = this.#links.get(key)
    if (known !== undefined) this.#unlink(known)
    const link: Link<Key> = { key, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = link
    else this.#last.after = link
    this.#last = link
    this.#links.set(key, link)
  }

  /** False where it was not there. */
  delete(key: Key): boolean {
    const link = this.#links.get(key)
    if (link === undefined) return false
    this.#links.delete(key)
    this.#unlink(link)
    return true
  }

  /** Each may be deleted as it is taken. */
  *[Symbol.iterator](): Generator<Key> {
    for (let link = this.#first; link !== undefined; link = link.after) yield link.key
  }

  #unlink({ before, after }: Link<Key>): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
  }
}
