import type { Connection } from "../domain/connection.js"
import type { ProcessKey } from "../domain/identity.js"
import { KeyedSets } from "../domain/keyed-sets.js"
import { Portions } from "../domain/portions.js"
import type { AccountOf } from "./coupling-table.js"
import type { TrackerLimits } from "./limits.js"

/** How many old connections are looked at for one that may go, before the oldest goes whatever it is. */
const evictionTries = 64

/** Connections of one host and boot by cookie: the live ones, and for a while those that closed. */
export class ConnectionTable {
  readonly #limits: TrackerLimits
  readonly #accountOf: AccountOf
  /** Whether a connection should be the last to be given up when memory is full. */
  readonly #isPrecious: (connection: Connection) => boolean
  readonly #live = new Map<string, Connection>()
  /** In the order of closing. */
  readonly #closed = new Map<string, Connection>()
  readonly #byProcess = new KeyedSets<ProcessKey, string>()
  /** How many live connections that it opened a process has to an address: those of a process may be 50,000. */
  readonly #opened = new Map<ProcessKey, Map<string, number>>()
  /** What went out, by network namespace and place, as long as it is readable. */
  readonly #byPlace = new KeyedSets<string, string>()
  /** Live ones without a close, the longest silent first. */
  readonly #datagrams = new Set<string>()
  /** Who answers for a connection, from its first record on. */
  readonly #accounts = new Map<string, string>()
  readonly #livePortions = new Portions<string>()
  readonly #closedPortions = new Portions<string>()
  #evicted = 0
  #evictedClosed = 0

  constructor(limits: TrackerLimits, accountOf: AccountOf, isPrecious: (connection: Connection) => boolean) {
    this.#limits = limits
    this.#accountOf = accountOf
    this.#isPrecious = isPrecious
  }

  get size(): number {
    return this.#live.size
  }

  /** Live connections given up because the table was full. */
  get evicted(): number {
    return this.#evicted
  }

  /** Closed connections forgotten before their time. */
  get evictedClosed(): number {
    return this.#evictedClosed
  }

  get(cookie: string): Connection | undefined {
    return this.#live.get(cookie) ?? this.#closed.get(cookie)
  }

  live(): IterableIterator<Connection> {
    return this.#live.values()
  }

  *ofProcess(process: ProcessKey): Generator<Connection> {
    for (const cookie of this.#byProcess.values(process)) {
      const connection = this.#live.get(cookie)
      if (connection !== undefined) yield connection
    }
  }

  /** Those that went out from this namespace to this place, live or closed a while ago, the oldest first. */
  *toPlace(netns: number, place: Pick<Connection, "protocol" | "remote">): Generator<Connection> {
    for (const cookie of this.#byPlace.values(placeOf({ ...place, netns }))) {
      const connection = this.get(cookie)
      if (connection !== undefined) yield connection
    }
  }

  isConnected(process: ProcessKey, address: string): boolean {
    return this.#opened.get(process)?.has(address) === true
  }

  /** Live ones without a close that were last seen then or before. */
  silentDatagrams(sinceUs: number): readonly Connection[] {
    const silent: Connection[] = []
    for (const cookie of this.#datagrams) {
      const connection = this.#live.get(cookie)
      if (connection !== undefined && connection.observedUs > sinceUs) break
      if (connection !== undefined) silent.push(connection)
    }
    return silent
  }

  /** Takes the place of what `get` gives for its cookie now. */
  put(connection: Connection): void {
    const { cookie, process } = connection
    const previous = this.#live.get(cookie)
    this.#place(connection, previous ?? this.#closed.get(cookie))
    if (connection.closed !== undefined) {
      this.#close(connection, previous)
      return
    }
    if (previous === undefined) this.#begin(connection)
    this.#live.set(cookie, connection)
    if (connection.protocol !== "tcp") {
      this.#datagrams.delete(cookie)
      this.#datagrams.add(cookie)
    }
    if (previous !== undefined && isOwnedAlike(previous, connection)) return
    if (previous !== undefined) this.#disown(previous)
    if (process === undefined) return
    this.#byProcess.add(process, cookie)
    this.#count(process, connection, 1)
  }

  /** Forgets what closed long ago. What lives is ended by the tracker: by records, by snapshots, by silence. */
  expire(nowUs: number): void {
    for (const [cookie, { observedUs }] of this.#closed) {
      if (observedUs + this.#limits.closedUs > nowUs) break
      this.#forget(cookie)
    }
    while (this.#closed.size > this.#limits.closedConnections) {
      const [oldest] = this.#closedPortions.keys(this.#closedPortions.largest() ?? "")
      if (oldest === undefined) return
      this.#forget(oldest)
      this.#evictedClosed += 1
    }
  }

  /** The far end of a datagram socket, and that a proxy was asked for a place outside, may be known late. */
  #place(connection: Connection, previous: Connection | undefined): void {
    const outside = (one: Connection | undefined) =>
      one !== undefined && this.#isPrecious(one) ? placeOf(one) : undefined
    const [before, place] = [outside(previous), outside(connection)]
    if (before === place) return
    if (before !== undefined) this.#byPlace.delete(before, connection.cookie)
    if (place !== undefined) this.#byPlace.add(place, connection.cookie)
  }

  #begin(connection: Connection): void {
    if (this.#live.size >= this.#limits.liveConnections) this.#evictOne()
    const account = this.#accountOf(connection.process)
    this.#accounts.set(connection.cookie, account)
    this.#livePortions.add(account, connection.cookie)
  }

  #close(connection: Connection, previous: Connection | undefined): void {
    const { cookie } = connection
    const account = this.#accounts.get(cookie) ?? this.#accountOf(connection.process)
    if (previous !== undefined) this.#leave(previous)
    this.#accounts.set(cookie, account)
    this.#closed.set(cookie, connection)
    this.#closedPortions.add(account, cookie)
  }

  #forget(cookie: string): void {
    const connection = this.#closed.get(cookie)
    if (connection !== undefined) this.#byPlace.delete(placeOf(connection), cookie)
    this.#closed.delete(cookie)
    this.#closedPortions.delete(this.#accounts.get(cookie) ?? "", cookie)
    this.#accounts.delete(cookie)
  }

  /** Of the account that has most. */
  #evictOne(): void {
    const account = this.#livePortions.largest() ?? ""
    for (let tries = 0; ; tries++) {
      const [oldest] = this.#livePortions.keys(account)
      const connection = oldest === undefined ? undefined : this.#live.get(oldest)
      if (connection === undefined) return
      if (tries < evictionTries && this.#isPrecious(connection)) {
        this.#livePortions.add(account, connection.cookie)
        continue
      }
      this.#leave(connection)
      this.#byPlace.delete(placeOf(connection), connection.cookie)
      this.#accounts.delete(connection.cookie)
      this.#evicted += 1
      return
    }
  }

  #leave(connection: Connection): void {
    const { cookie } = connection
    this.#live.delete(cookie)
    this.#datagrams.delete(cookie)
    this.#livePortions.delete(this.#accounts.get(cookie) ?? "", cookie)
    this.#disown(connection)
  }

  #disown(connection: Connection): void {
    if (connection.process === undefined) return
    this.#byProcess.delete(connection.process, connection.cookie)
    this.#count(connection.process, connection, -1)
  }

  #count(process: ProcessKey, { initiator, remote }: Connection, step: 1 | -1): void {
    if (initiator === "remote") return
    const addresses = this.#opened.get(process) ?? new Map<string, number>()
    const count = (addresses.get(remote.address) ?? 0) + step
    if (count > 0) addresses.set(remote.address, count)
    else addresses.delete(remote.address)
    if (addresses.size > 0) this.#opened.set(process, addresses)
    else this.#opened.delete(process)
  }
}

function placeOf({ netns, protocol, remote }: Pick<Connection, "netns" | "protocol" | "remote">): string {
  return `${netns} ${protocol} ${remote.address} ${remote.port}`
}

function isOwnedAlike(a: Connection, b: Connection): boolean {
  return a.process === b.process && a.remote.address === b.remote.address && a.initiator === b.initiator
}
