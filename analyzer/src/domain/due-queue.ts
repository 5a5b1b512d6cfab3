import type { Microseconds } from "./identity.js"

interface Entry<Key> {
  readonly key: Key
  readonly dueUs: Microseconds
}

/**
 * Keys by when each is due, the earliest first: a heap of which the place of each key is known. A step costs the logarithm of
 * how many there are, and a look at what is due costs what is due.
 */
export class DueQueue<Key> {
  readonly #heap: Entry<Key>[] = []
  readonly #places = new Map<Key, number>()

  get size(): number {
    return this.#heap.length
  }

  has(key: Key): boolean {
    return this.#places.has(key)
  }

  /** Takes the place of when it was due before. */
  set(key: Key, dueUs: Microseconds): void {
    this.delete(key)
    this.#heap.push({ key, dueUs })
    this.#rise(this.#heap.length - 1)
  }

  delete(key: Key): void {
    const place = this.#places.get(key)
    const last = this.#heap.at(-1)
    if (place === undefined || last === undefined) return
    this.#heap.pop()
    this.#places.delete(key)
    if (place === this.#heap.length) return
    this.#put(last, place)
    this.#sink(place)
    this.#rise(this.#places.get(last.key) ?? place)
  }

  /** Takes out what is due then, the earliest first. */
  takeDue(nowUs: Microseconds): readonly Key[] {
    const due: Key[] = []
    for (;;) {
      const [first] = this.#heap
      if (first === undefined || first.dueUs > nowUs) return due
      due.push(first.key)
      this.delete(first.key)
    }
  }

  #rise(from: number): void {
    const entry = this.#heap[from]
    let place = from
    while (entry !== undefined && place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#heap[above]
      if (parent === undefined || parent.dueUs <= entry.dueUs) break
      this.#put(parent, place)
      place = above
    }
    if (entry !== undefined) this.#put(entry, place)
  }

  #sink(from: number): void {
    const entry = this.#heap[from]
    let place = from
    while (entry !== undefined) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]]
      const isRight = left !== undefined && right !== undefined && right.dueUs < left.dueUs
      const child = isRight ? right : left
      if (child === undefined || child.dueUs >= entry.dueUs) break
      this.#put(child, place)
      place = 2 * place + (isRight ? 2 : 1)
    }
    if (entry !== undefined) this.#put(entry, place)
  }

  #put(entry: Entry<Key>, place: number): void {
    this.#heap[place] = entry
    this.#places.set(entry.key, place)
  }
}
