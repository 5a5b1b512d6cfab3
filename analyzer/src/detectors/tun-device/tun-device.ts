/**
 * Way in through a tun or tap device: its holder has a connection to the outside, and connections come in through the device
 * to services of this host. What goes out through it makes no claim, whatever is answered.
 */
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { Claim, Detector } from "../../domain/detector.js"
import type { ProcessKey } from "../../domain/identity.js"
import { KeyedSets } from "../../domain/keyed-sets.js"
import type { TunnelUse } from "../../domain/tunnel-use.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { claimOf, detectorName, subjectOf } from "./evidence.js"
import { best } from "./judge.js"
import { tunDeviceThresholds as limits } from "./thresholds.js"

export function tunDevice(): Detector {
  const devices = new Devices()
  return {
    name: detectorName,
    evictedClaims: () => devices.evictedClaims,
    observe(change, view) {
      if (change.kind === "tunnel-use") devices.use(change.used)
      else if (change.kind === "attachment") return devices.attach(change.attachment)
      else if (change.kind === "connection") devices.move(change.connection, view)
      return []
    },
    settle: (view) => devices.settle(view),
    tick: () => [],
  }
}

class Devices {
  /** The longest silent first. */
  readonly #uses = new Map<string, TunnelUse>()
  readonly #holders = new KeyedSets<string, ProcessKey>()
  readonly #held = new KeyedSets<ProcessKey, string>()
  readonly #book = new ClaimBook()
  #changed = new Set<string>()

  get evictedClaims(): number {
    return this.#book.evicted
  }

  use(used: TunnelUse): void {
    this.#uses.delete(used.deviceId)
    this.#uses.set(used.deviceId, used)
    const oldest = this.#uses.keys().next()
    if (this.#uses.size > limits.devices && oldest.done !== true) this.#uses.delete(oldest.value)
    this.#changed.add(used.deviceId)
  }

  attach({ kind, process, cookie: deviceId, gone, observedUs }: Attachment): readonly Claim[] {
    if (kind !== "tun") return []
    if (gone) {
      this.#holders.delete(deviceId, process)
      this.#held.delete(process, deviceId)
      return this.#book.end(subjectOf(process, deviceId), observedUs)
    }
    if (this.#held.count(process) >= limits.devicesOfHolder) return []
    if (this.#holders.count(deviceId) >= limits.holdersOfDevice) return []
    this.#holders.add(deviceId, process)
    this.#held.add(process, deviceId)
    this.#changed.add(deviceId)
    return []
  }

  /** A connection of a holder, or of a process next to it, says more about its devices. */
  move({ process }: Connection, view: View): void {
    if (process === undefined || this.#uses.size === 0) return
    for (const deviceId of this.#held.values(process)) this.#changed.add(deviceId)
    const parent = view.process(process)?.parent
    if (parent !== undefined) for (const deviceId of this.#held.values(parent)) this.#changed.add(deviceId)
  }

  settle(view: View): readonly Claim[] {
    if (this.#changed.size === 0) return []
    const changed = this.#changed
    this.#changed = new Set()
    return [...changed].flatMap((deviceId) => this.#judge(deviceId, view))
  }

  #judge(deviceId: string, view: View): readonly Claim[] {
    const used = this.#uses.get(deviceId)
    if (used === undefined) return []
    const claims: Claim[] = []
    for (const holder of this.#holders.values(deviceId)) {
      const found = best(used, holder, view)
      if (found === undefined) continue
      const claim = claimOf(found.way, found.verdict, view)
      const before = this.#book.get(claim.subject)?.claim
      if (before === undefined || isNews(before, claim)) claims.push(...this.#book.record(claim, undefined, view))
    }
    return claims
  }
}

/** It never gets weaker: what was reached was reached. */
function isNews(before: Claim, now: Claim): boolean {
  return now.score > before.score || (now.score === before.score && now.lastSeenUs > before.lastSeenUs)
}
