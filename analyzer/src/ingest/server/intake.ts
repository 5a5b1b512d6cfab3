import { Shares } from "./shares.js"
import type { Source } from "./shares.js"
import type { HostShare } from "../../telemetry/status.js"

/** The most that waits between the sockets and the pipelines. */
export interface IntakeLimits {
  readonly messages: number
  readonly bytes: number
}

export interface Sized {
  readonly bytes: Uint8Array
  readonly source: Source
}

export interface IntakePorts<Item> {
  /** Monotonic clock, milliseconds. */
  readonly nowMs: () => number
  /** Hosts whose cost is remembered. */
  readonly maxHosts: number
  /** Called for each item that leaves, before those who wait for room are. */
  readonly onTaken: (item: Item) => void
}

interface HostQueue<Item> extends Source {
  readonly items: Item[]
  /** Room that they take, in bytes. */
  size: number
}

/**
 * What waits between sockets and pipelines: a queue for each host, in its own order, and whoever has cost least lately goes
 * first. A host, and a peer, may fill as much as it leaves free, so that there is always room for one that has nothing here;
 * its stream is read no further then, and HTTP/2 flow control holds the collector back. Nothing is dropped before `drop`.
 */
export class Intake<Item extends Sized> {
  readonly #limits: IntakeLimits
  readonly #onTaken: (item: Item) => void
  readonly #shares: Shares
  /** A message takes at least this much of the room, so that messages are bounded as bytes are. */
  readonly #minSize: number
  /** Hosts that have something here, in the order in which they began to wait. */
  readonly #queues = new Map<string, HostQueue<Item>>()
  readonly #peerSizes = new Map<string, number>()
  #messages = 0
  #bytes = 0
  #size = 0
  #closed = false
  #wakeTaker: (() => void) | undefined
  #waitingForRoom: (() => void)[] = []

  constructor(limits: IntakeLimits, { nowMs, maxHosts, onTaken }: IntakePorts<Item>) {
    this.#limits = limits
    this.#minSize = limits.bytes / limits.messages
    this.#onTaken = onTaken
    this.#shares = new Shares(nowMs, maxHosts)
  }

  get messages(): number {
    return this.#messages
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes the item in any case: whoever offers looks at `hasRoom` before it reads on. */
  offer(item: Item): void {
    const { source, bytes } = item
    const key = queueKey(source)
    const queue = this.#queues.get(key) ?? { ...source, items: [], size: 0 }
    this.#queues.set(key, queue)
    queue.items.push(item)
    this.#count(queue, bytes.length, 1)
    this.#wakeTaker?.()
  }

  /** Whether there is room for another message of this host: whatever is free must be more than what it has here. */
  hasRoom(source: Source): boolean {
    const free = this.#limits.bytes - this.#size
    const ofPeer = this.#peerSizes.get(source.peer) ?? 0
    const ofHost = this.#queues.get(queueKey(source))?.size ?? 0
    return ofPeer < free && ofHost < free - ofPeer
  }

  /** Calls back once, after something was taken; in the order of the calls. */
  whenRoom(callback: () => void): void {
    this.#waitingForRoom.push(callback)
  }

  /** Resolves with true once there is something to take, with false once closed and empty. One taker only. */
  async waiting(): Promise<boolean> {
    while (this.#messages === 0 && !this.#closed)
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve
      })
    this.#wakeTaker = undefined
    return this.#messages > 0
  }

  /** The oldest item of the host that has cost least. */
  take(): Item | undefined {
    const queue = this.#shares.next(this.#queues.values())
    const item = queue?.items.shift()
    if (queue === undefined || item === undefined) return undefined
    this.#count(queue, item.bytes.length, -1)
    if (queue.items.length === 0) this.#queues.delete(queueKey(queue))
    this.#onTaken(item)
    this.#announceRoom()
    return item
  }

  /** What was taken of this host has cost so many milliseconds. */
  charge(source: Source, ms: number): void {
    this.#shares.charge(source, ms, this.#queues.values())
  }

  /** By `Source.host`. */
  shareOf(host: string): HostShare {
    return this.#shares.of(host)
  }

  /** Ends the wait of the taker once nothing is left. */
  close(): void {
    this.#closed = true
    this.#wakeTaker?.()
  }

  /** Forgets what waits; how many messages that were. */
  drop(): number {
    const items = [...this.#queues.values()].flatMap((queue) => queue.items)
    this.#queues.clear()
    this.#peerSizes.clear()
    this.#messages = 0
    this.#bytes = 0
    this.#size = 0
    for (const item of items) this.#onTaken(item)
    this.#announceRoom()
    return items.length
  }

  /** A message came (1) or left (-1). */
  #count(queue: HostQueue<Item>, bytes: number, sign: 1 | -1): void {
    const size = sign * Math.max(bytes, this.#minSize)
    this.#messages += sign
    this.#bytes += sign * bytes
    this.#size += size
    queue.size += size
    const ofPeer = (this.#peerSizes.get(queue.peer) ?? 0) + size
    if (ofPeer > 0) this.#peerSizes.set(queue.peer, ofPeer)
    else this.#peerSizes.delete(queue.peer)
  }

  #announceRoom(): void {
    // Each is called once: one that must wait on calls `whenRoom` again.
    const waiting = this.#waitingForRoom
    this.#waitingForRoom = []
    for (const callback of waiting) callback()
  }
}

/** One host behind two peers is two claims, of which one may be false: neither waits behind the other. */
function queueKey({ peer, host }: Source): string {
  return `${peer}\n${host}`
}
