import { lostKinds } from "../domain/lost.js"
import type { Lost, LostKind } from "../domain/lost.js"

const texts: Readonly<Record<LostKind, string>> = {
  ringConnection: "connection records because the ring buffer was full (raise --ring-bytes)",
  ringExec: "program starts because the ring buffer was full (raise --ring-bytes)",
  ringExit: "program ends because the ring buffer was full (raise --ring-bytes)",
  mapSocket: "sockets that the kernel could not track",
  mapEdge: "coupling edges that the kernel could not keep",
  mapGroup: "groups of processes that the kernel could not keep",
  walkDescriptor: "open descriptors that a walk left out",
  shedInterim: "interim records dropped while the analyzer was unreachable or slow (raise --buffer-bytes)",
  shedFinal: "final records dropped while the analyzer was unreachable or slow (raise --buffer-bytes)",
  rejected: "kernel records that the collector could not decode",
}

/** "lost 7 connection records because the ring buffer was full (raise --ring-bytes)". */
export function lossText(kind: LostKind, count: number): string {
  return `lost ${count} ${texts[kind]}`
}

/** One line for each kind of record that a collector lost so far; none when nothing was. */
export function lossLines(lost: Lost): string[] {
  return lostKinds.filter((kind) => lost[kind] > 0).map((kind) => lossText(kind, lost[kind]))
}
