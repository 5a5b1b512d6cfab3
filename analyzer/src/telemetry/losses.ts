import { evictedKinds } from "../domain/evicted.js"
import type { Evicted, EvictedKind } from "../domain/evicted.js"
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
  execArgv: "arguments of programs that could not be read at their start",
  shedInterim: "interim records dropped while the analyzer was unreachable or slow (raise --buffer-bytes)",
  shedFinal: "final records dropped while the analyzer was unreachable or slow (raise --buffer-bytes)",
  rejected: "kernel records that the collector could not decode",
}

const evictedTexts: Readonly<Record<EvictedKind, string>> = {
  connection: "forgot # live connections because too many are open",
  closedConnection: "forgot # closed connections before their minute was over",
  process: "forgot # processes because there are too many",
  edge: "forgot # couplings because there are too many",
  attachment: "forgot # open ends of shells and pipes because there are too many",
  claim: "forgot # claims because too many stand: their findings stay open",
  finding: "forgot # findings because there are too many: they are in the store",
  incident: "forgot # identities with their incidents because there are too many",
  curve: "ended the curves of # connections because too many have some",
  unexaminedProcess: "left # programs unexamined until they have a connection, because a user starts too many a minute",
  heldFinding: "held back # findings, the least grave first, because too many began in one minute",
}

/** One line for each kind of thing that the analyzer gave up of a host so far: "forgot 7 processes because there are too many". */
export function evictedLines(evicted: Evicted): string[] {
  return evictedKinds
    .filter((kind) => evicted[kind] > 0)
    .map((kind) => evictedTexts[kind].replace("#", String(evicted[kind])))
}

/** "lost 7 connection records because the ring buffer was full (raise --ring-bytes)". */
export function lossText(kind: LostKind, count: number): string {
  return `lost ${count} ${texts[kind]}`
}

/** One line for each kind of record that a collector lost so far; none when nothing was. */
export function lossLines(lost: Lost): string[] {
  return lostKinds.filter((kind) => lost[kind] > 0).map((kind) => lossText(kind, lost[kind]))
}
