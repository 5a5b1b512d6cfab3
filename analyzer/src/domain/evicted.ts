/**
 * What the analyzer gave up of one host for want of room or time, by kind. Running totals of one pipeline; they only rise.
 * This list is all that a new kind needs, but for its sentence in telemetry/losses.ts.
 */
export const evictedKinds = [
  "connection",
  "closedConnection",
  "process",
  "edge",
  "attachment",
  "claim",
  "finding",
  "incident",
  "curve",
  "unexaminedProcess",
  "heldFinding",
] as const
export type EvictedKind = (typeof evictedKinds)[number]

export type Evicted = Readonly<Record<EvictedKind, number>>

/** A total for each kind; what is left out is nothing. */
export function evictedBy(counts: Partial<Evicted>): Evicted {
  return Object.fromEntries(evictedKinds.map((kind) => [kind, counts[kind] ?? 0])) as Evicted
}

export const nothingEvicted: Evicted = evictedBy({})

export function totalEvicted(evicted: Evicted): number {
  return evictedKinds.reduce((sum, kind) => sum + evicted[kind], 0)
}
