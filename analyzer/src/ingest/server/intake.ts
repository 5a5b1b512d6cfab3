/** The most that waits between the sockets and the pipelines. */
export interface IntakeLimits {
  readonly messages: number
  readonly bytes: number
}

export interface Sized {
  readonly bytes: Uint8Array
}

/**
 * The one bounded queue of the process. When it is full the streams are read no further, so that HTTP/2 flow control holds
 * the collectors back; nothing is dropped here.
 */
export class Intake<Item extends Sized> {
  readonly #limits: IntakeLimits
  readonly #onTaken: (item: Item) => void
  #items: Item[] = []
  #next = 0
  #bytes = 0
  #closed = false
  #wakeTaker: (() => void) | undefined
  #waitingForRoom: (() => void)[] = []

  /** `onTaken` is called before those who wait for room are. */
  constructor(limits: IntakeLimits, onTaken: (item: Item) => void = () => undefined) {
    this.#limits = limits
    this.#onTaken = onTaken
  }

  get messages(): number {
    return this.#items.length - this.#next
  }

  get bytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.messages >= this.#limits.messages || this.#bytes >= this.#limits.bytes
  }

  /** Takes the item even when full: whoever offers looks at `isFull` before it reads on. */
  offer(item: Item): void {
    this.#items.push(item)
    this.#bytes += item.bytes.length
    this.#wakeTaker?.()
  }

  /** Calls back once, after something was taken and while there is room; in the order of the calls. */
  whenRoom(callback: () => void): void {
    this.#waitingForRoom.push(callback)
  }

  /** The oldest item; waits for one. Undefined once closed and empty. One taker only. */
  async take(): Promise<Item | undefined> {
    while (this.messages === 0 && !this.#closed)
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve
      })
    this.#wakeTaker = undefined
    const item = this.#items[this.#next]
    if (item === undefined) return undefined
    this.#next += 1
    this.#bytes -= item.bytes.length
    if (this.#next > 1_024 || this.#next === this.#items.length) {
      this.#items = this.#items.slice(this.#next)
      this.#next = 0
    }
    this.#onTaken(item)
    this.#announceRoom()
    return item
  }

  /** Lets `take` end once what waits is taken. */
  close(): void {
    this.#closed = true
    this.#wakeTaker?.()
  }

  #announceRoom(): void {
    // Each is called once: one that must wait on calls `whenRoom` again.
    const waiting = this.#waitingForRoom
    this.#waitingForRoom = []
    for (const [i, callback] of waiting.entries()) {
      if (this.isFull) {
        this.#waitingForRoom.unshift(...waiting.slice(i))
        return
      }
      callback()
    }
  }
}
