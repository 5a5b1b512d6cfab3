import { bootKey } from "../../domain/keys.js"
import type { HostFacts } from "../../domain/identity.js"
import type { CollectorStream } from "./collector-stream.js"

/**
 * What peers hold of what is for all of them: streams and hosts. A peer is what the transport tells (`CollectorStream.peer`):
 * a fleet behind one address is one peer, so that there is no fixed bound for each, but a peer makes room for those that
 * have less.
 */
export class Peers {
  readonly #maxHosts: number
  /** Boots that are known, by which peer brought them. */
  readonly #introducers = new Map<string, string>()
  readonly #hosts = new Map<string, number>()

  constructor(maxHosts: number) {
    this.#maxHosts = maxHosts
  }

  /** Remembers the boot of a host; false where its peer has brought as many as there is room left for. */
  introduce(peer: string, host: HostFacts): boolean {
    const key = bootKey(host)
    if (this.#introducers.has(key)) return true
    const brought = this.#hosts.get(peer) ?? 0
    if (brought >= this.#maxHosts - this.#introducers.size) return false
    this.#introducers.set(key, peer)
    this.#hosts.set(peer, brought + 1)
    return true
  }

  /** Its pipeline has ended. */
  forget(host: HostFacts): void {
    const key = bootKey(host)
    const peer = this.#introducers.get(key)
    if (peer === undefined) return
    this.#introducers.delete(key)
    const left = (this.#hosts.get(peer) ?? 0) - 1
    if (left > 0) this.#hosts.set(peer, left)
    else this.#hosts.delete(peer)
  }
}

/** The newest stream of the peer that has most of them, if that is more than `peer` would have with another one. */
export function streamToDrop(streams: Iterable<CollectorStream>, peer: string): CollectorStream | undefined {
  const byPeer = new Map<string, CollectorStream[]>()
  for (const stream of streams) byPeer.set(stream.peer, [...(byPeer.get(stream.peer) ?? []), stream])
  const own = byPeer.get(peer)?.length ?? 0
  let greediest: readonly CollectorStream[] = []
  for (const ofPeer of byPeer.values()) if (ofPeer.length > greediest.length) greediest = ofPeer
  if (greediest.length <= own + 1) return undefined
  // One that has not said Hello first: it may be no collector at all.
  return greediest.findLast(({ session }) => session === undefined) ?? greediest.at(-1)
}

/** A stream of another peer on which another run of a collector speaks for the same boot of the same host. */
export function conflictOf(
  streams: Iterable<CollectorStream>,
  { peer }: CollectorStream,
  host: HostFacts,
): CollectorStream | undefined {
  for (const other of streams) {
    const known = other.session?.host
    if (known === undefined || other.isOver || other.peer === peer) continue
    if (bootKey(known) === bootKey(host) && known.instance !== host.instance) return other
  }
  return undefined
}
