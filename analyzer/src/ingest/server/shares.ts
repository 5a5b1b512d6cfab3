import type { HostShare } from "../../telemetry/status.js"

/** Whose message it is: a boot of a host, behind the peer that it came from. */
export interface Source {
  readonly peer: string
  readonly host: string
}

/** Half of what was spent is forgotten in this time: a host that has calmed down is soon like any other. */
const halfLifeMs = 10_000

/** A delay of so much, of the last few tens of seconds, is told to a person: less is how work comes in. */
const reportedMs = 1_000

/** A sum that halves every `halfLifeMs`. */
class RecentSum {
  #value = 0
  #atMs = 0

  add(amount: number, nowMs: number): void {
    this.#value = this.at(nowMs) + amount
    this.#atMs = nowMs
  }

  at(nowMs: number): number {
    return this.#value * 2 ** ((this.#atMs - nowMs) / halfLifeMs)
  }
}

class HostRecord {
  readonly cost = new RecentSum()
  readonly delay = new RecentSum()
  costMs = 0
  delayedMs = 0
}

/**
 * Processor time of this process, by who used it. Who used little lately goes first: between peers, and between the
 * hosts of one peer, so that a peer gains nothing by inventing hosts.
 */
export class Shares {
  readonly #nowMs: () => number
  readonly #maxHosts: number
  /** Both in the order of the last use, and bounded by it. */
  readonly #hosts = new Map<string, HostRecord>()
  readonly #peers = new Map<string, RecentSum>()

  /** `nowMs` is monotonic. */
  constructor(nowMs: () => number, maxHosts: number) {
    this.#nowMs = nowMs
    this.#maxHosts = maxHosts
  }

  /** The one of them that used the smallest amount. The first of those that are equal. */
  next<Waiting extends Source>(waiting: Iterable<Waiting>): Waiting | undefined {
    const nowMs = this.#nowMs()
    let best: { readonly source: Waiting; readonly peer: number; readonly host: number } | undefined
    for (const source of waiting) {
      const [peer, host] = this.#usedBy(source, nowMs)
      if (best === undefined || peer < best.peer || (peer === best.peer && host < best.host))
        best = { source, peer, host }
    }
    return best?.source
  }

  /** `source` used so much. Those of `waiting` that had used more until then were delayed by it. */
  charge(source: Source, ms: number, waiting: Iterable<Source>): void {
    const nowMs = this.#nowMs()
    const [peer, host] = this.#usedBy(source, nowMs)
    for (const other of waiting) {
      const [otherPeer, otherHost] = this.#usedBy(other, nowMs)
      const isOver = otherPeer > peer || (otherPeer === peer && otherHost > host)
      if (!isOver || other.host === source.host) continue
      const delayed = this.#hostOf(other.host)
      delayed.delayedMs += ms
      delayed.delay.add(ms, nowMs)
    }
    const record = this.#hostOf(source.host)
    record.costMs += ms
    record.cost.add(ms, nowMs)
    this.#peerOf(source.peer).add(ms, nowMs)
  }

  of(host: string): HostShare {
    const record = this.#hosts.get(host)
    if (record === undefined) return { costMs: 0, delayedMs: 0, isDelayed: false }
    const { costMs, delayedMs, delay } = record
    return { costMs, delayedMs, isDelayed: delay.at(this.#nowMs()) > reportedMs }
  }

  #usedBy({ peer, host }: Source, nowMs: number): readonly [peer: number, host: number] {
    return [this.#peers.get(peer)?.at(nowMs) ?? 0, this.#hosts.get(host)?.cost.at(nowMs) ?? 0]
  }

  #hostOf(host: string): HostRecord {
    return renewed(this.#hosts, host, () => new HostRecord(), this.#maxHosts)
  }

  #peerOf(peer: string): RecentSum {
    return renewed(this.#peers, peer, () => new RecentSum(), this.#maxHosts)
  }
}

/** The entry, made where there is none and now the last one; at the limit the first one is forgotten. */
function renewed<Entry>(entries: Map<string, Entry>, key: string, make: () => Entry, max: number): Entry {
  const entry = entries.get(key) ?? make()
  entries.delete(key)
  entries.set(key, entry)
  if (entries.size > max) {
    const oldest = entries.keys().next()
    if (oldest.done !== true) entries.delete(oldest.value)
  }
  return entry
}
