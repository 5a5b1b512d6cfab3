/** What has an id, versions that rise, and an end. */
export interface Versioned {
  readonly id: string
  readonly version: number
}

/** The latest version of each thing, so many at most: what is over goes first, the oldest of it, then the oldest of all. */
export class BoundedVersions<T extends Versioned> {
  readonly #max: number
  readonly #isOver: (value: T) => boolean
  /** Both in the order of the last change. */
  readonly #open = new Map<string, T>()
  readonly #over = new Map<string, T>()

  constructor(max: number, isOver: (value: T) => boolean) {
    this.#max = max
    this.#isOver = isOver
  }

  get size(): number {
    return this.#open.size + this.#over.size
  }

  get openSize(): number {
    return this.#open.size
  }

  get(id: string): T | undefined {
    return this.#open.get(id) ?? this.#over.get(id)
  }

  open(): IterableIterator<T> {
    return this.#open.values()
  }

  over(): IterableIterator<T> {
    return this.#over.values()
  }

  /** Undefined when this version, or a later one, is known already; else what it took the place of and what had to go. */
  put(value: T): { readonly previous: T | undefined; readonly gone: readonly T[] } | undefined {
    const previous = this.get(value.id)
    if (previous !== undefined && previous.version >= value.version) return undefined
    this.#open.delete(value.id)
    this.#over.delete(value.id)
    const side = this.#isOver(value) ? this.#over : this.#open
    side.set(value.id, value)
    return { previous, gone: this.#shrink() }
  }

  #shrink(): readonly T[] {
    const gone: T[] = []
    while (this.size > this.#max) {
      const side = this.#over.size > 0 ? this.#over : this.#open
      const oldest = side.entries().next()
      if (oldest.done === true) break
      side.delete(oldest.value[0])
      gone.push(oldest.value[1])
    }
    return gone
  }
}
