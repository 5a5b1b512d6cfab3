import type { Lost } from "../domain/batch.js"

const words: Readonly<Record<keyof Lost, string>> = {
  ringConnection: "connection records for which the ring buffer had no room (raise --ring-bytes)",
  ringExec: "program starts for which the ring buffer had no room (raise --ring-bytes)",
  ringExit: "program ends for which the ring buffer had no room (raise --ring-bytes)",
  mapSocket: "sockets that the kernel could not track",
  mapEdge: "coupling edges that the kernel could not keep",
  shedInterim: "interim records shed while the analyzer was away or slow (raise --buffer-bytes)",
  shedFinal: "final records shed while the analyzer was away or slow (raise --buffer-bytes)",
  rejected: "kernel records that the collector could not read",
}

export const lostKinds = Object.keys(words) as readonly (keyof Lost)[]

/** "lost 7 connection records for which the ring buffer had no room (raise --ring-bytes)". */
export function lossText(kind: keyof Lost, count: number): string {
  return `lost ${count} ${words[kind]}`
}

/** One line for each kind of record that a collector lost so far; none when nothing was. */
export function lossLines(lost: Lost): string[] {
  return lostKinds.filter((kind) => lost[kind] > 0).map((kind) => lossText(kind, lost[kind]))
}

export function totalLost(lost: Lost | undefined): number {
  return lost === undefined ? 0 : lostKinds.reduce((sum, kind) => sum + lost[kind], 0)
}
