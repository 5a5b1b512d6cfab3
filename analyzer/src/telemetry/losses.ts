import { lostKinds } from "../domain/lost.js"
import type { Lost, LostKind } from "../domain/lost.js"

const words: Readonly<Record<LostKind, string>> = {
  ringConnection: "connection records for which the ring buffer had no room (raise --ring-bytes)",
  ringExec: "program starts for which the ring buffer had no room (raise --ring-bytes)",
  ringExit: "program ends for which the ring buffer had no room (raise --ring-bytes)",
  mapSocket: "sockets that the kernel could not track",
  mapEdge: "coupling edges that the kernel could not keep",
  shedInterim: "interim records shed while the analyzer was away or slow (raise --buffer-bytes)",
  shedFinal: "final records shed while the analyzer was away or slow (raise --buffer-bytes)",
  rejected: "kernel records that the collector could not read",
}

/** "lost 7 connection records for which the ring buffer had no room (raise --ring-bytes)". */
export function lossText(kind: LostKind, count: number): string {
  return `lost ${count} ${words[kind]}`
}

/** One line for each kind of record that a collector lost so far; none when nothing was. */
export function lossLines(lost: Lost): string[] {
  return lostKinds.filter((kind) => lost[kind] > 0).map((kind) => lossText(kind, lost[kind]))
}
