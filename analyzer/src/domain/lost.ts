/**
 * Kinds of records that a collector lost, by the names of the wire contract's message Lost. This list is
 * all that the analyzer needs of a new kind, but for its sentence in telemetry/losses.ts and a migration that adds its
 * column to host_reports.
 */
export const lostKinds = [
  "ringConnection",
  "ringExec",
  "ringExit",
  "mapSocket",
  "mapEdge",
  "mapGroup",
  "walkDescriptor",
  "execArgv",
  "shedInterim",
  "shedFinal",
  "rejected",
] as const
export type LostKind = (typeof lostKinds)[number]

/** Those that `host_reports` has a column of; the others are in the metrics alone. */
export const reportedLostKinds = lostKinds.filter((kind) => kind !== "execArgv")

/** Running totals of one collector instance; they only rise. */
export type Lost = Readonly<Record<LostKind, number>>

/** A total for each kind. */
export function lostBy(count: (kind: LostKind) => number): Lost {
  return Object.fromEntries(lostKinds.map((kind) => [kind, count(kind)])) as Lost
}

export const nothingLost: Lost = lostBy(() => 0)

export function totalLost(lost: Lost | undefined): number {
  return lost === undefined ? 0 : lostKinds.reduce((sum, kind) => sum + lost[kind], 0)
}

/** What came on top of `before`. */
export function lostSince(before: Lost, now: Lost): Lost {
  return lostBy((kind) => Math.max(0, now[kind] - before[kind]))
}
