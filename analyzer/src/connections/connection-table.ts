import type { Connection } from "../domain/connection.js"
import type { ProcessKey } from "../domain/identity.js"
import { KeyedSets } from "../domain/keyed-sets.js"
import type { TrackerLimits } from "./limits.js"

/** How many old connections are looked at for one that may go, before the oldest goes whatever it is. */
const evictionTries = 64

/** Connections of one host and boot by cookie: the live ones, and for a while those that closed. */
export class ConnectionTable {
  readonly #limits: TrackerLimits
  /** Whether a connection should be the last to be given up when memory is full. */
  readonly #isPrecious: (connection: Connection) => boolean
  readonly #live = new Map<string, Connection>()
  /** In the order of closing. */
  readonly #closed = new Map<string, Connection>()
  readonly #byProcess = new KeyedSets<ProcessKey, string>()
  /** How many live precious connections a process has to an address: `connectionsOf` may be 50,000. */
  readonly #precious = new Map<ProcessKey, Map<string, number>>()
  #evicted = 0

  constructor(limits: TrackerLimits, isPrecious: (connection: Connection) => boolean) {
    this.#limits = limits
    this.#isPrecious = isPrecious
  }

  get size(): number {
    return this.#live.size
  }

  /** Live connections given up because the table was full. */
  get evicted(): number {
    return this.#evicted
  }

  get(cookie: string): Connection | undefined {
    return this.#live.get(cookie) ?? this.#closed.get(cookie)
  }

  live(): IterableIterator<Connection> {
    return this.#live.values()
  }

  ofProcess(process: ProcessKey): readonly Connection[] {
    return this.#byProcess.get(process).flatMap((cookie) => this.#live.get(cookie) ?? [])
  }

  isConnected(process: ProcessKey, address: string): boolean {
    return this.#precious.get(process)?.has(address) === true
  }

  /** Takes the place of what `get` gives for its cookie now. */
  put(connection: Connection): void {
    const { cookie } = connection
    const previous = this.#live.get(cookie)
    if (connection.closed !== undefined) {
      this.#live.delete(cookie)
      this.#disown(previous)
      this.#closed.set(cookie, connection)
      return
    }
    if (previous === undefined && this.#live.size >= this.#limits.liveConnections) this.#evictOne()
    this.#live.set(cookie, connection)
    const hasMoved =
      previous?.remote.address !== connection.remote.address || previous.initiator !== connection.initiator
    if (previous?.process === connection.process && !hasMoved) return
    this.#disown(previous)
    if (connection.process === undefined) return
    this.#byProcess.add(connection.process, cookie)
    this.#count(connection.process, connection, 1)
  }

  /** Forgets what closed long ago. What lives is ended by the tracker: by records, by snapshots, by silence. */
  expire(nowUs: number): void {
    for (const [cookie, { observedUs }] of this.#closed) {
      const isOld = observedUs + this.#limits.closedUs <= nowUs
      if (!isOld && this.#closed.size <= this.#limits.closedConnections) return
      this.#closed.delete(cookie)
    }
  }

  #evictOne(): void {
    for (let tries = 0; ; tries++) {
      const oldest = this.#live.entries().next()
      if (oldest.done === true) return
      const [cookie, connection] = oldest.value
      this.#live.delete(cookie)
      if (tries < evictionTries && this.#isPrecious(connection)) {
        this.#live.set(cookie, connection)
        continue
      }
      this.#disown(connection)
      this.#evicted += 1
      return
    }
  }

  #disown(connection: Connection | undefined): void {
    if (connection?.process === undefined) return
    this.#byProcess.delete(connection.process, connection.cookie)
    this.#count(connection.process, connection, -1)
  }

  #count(process: ProcessKey, connection: Connection, step: 1 | -1): void {
    if (!this.#isPrecious(connection)) return
    const { address } = connection.remote
    const addresses = this.#precious.get(process) ?? new Map<string, number>()
    const count = (addresses.get(address) ?? 0) + step
    if (count > 0) addresses.set(address, count)
    else addresses.delete(address)
    if (addresses.size > 0) this.#precious.set(process, addresses)
    else this.#precious.delete(process)
  }
}
