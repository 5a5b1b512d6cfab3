/** Signs that the far side of an outside connection drives a child: pure functions over counters. */
import type { Connection } from "../../domain/connection.js"
import type { Attachment, CouplingEdge } from "../../domain/coupling.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

/** Totals at the first sight of both, and how often they have moved alike since. */
export interface ByteMatch {
  readonly readAtStart: number
  readonly receivedAtStart: number
  readonly lastMatch: number
  readonly moments: number
}

export function startMatch(attachment: Attachment, outside: Connection): ByteMatch {
  return {
    readAtStart: attachment.childRead,
    receivedAtStart: outside.bytesReceived,
    lastMatch: 0,
    moments: 0,
  }
}

/**
 * Counts a moment at which the child has read exactly what came in from outside since the start. An agent that turns long
 * answers into short commands never gets there.
 */
export function advanceMatch(match: ByteMatch, attachment: Attachment, outside: Connection): ByteMatch {
  const read = attachment.childRead - match.readAtStart
  const received = outside.bytesReceived - match.receivedAtStart
  if (read !== received || read <= match.lastMatch) return match
  return { ...match, lastMatch: read, moments: match.moments + 1 }
}

export function bytesAgree(match: ByteMatch): boolean {
  return match.lastMatch >= limits.matchedBytes || match.moments >= limits.matchedMoments
}

/** Programs that were executed below the owner of A right after the far side spoke. */
export function executedOnDemand(edges: readonly CouplingEdge[]): number {
  return edges
    .filter((edge) => edge.kind === "exec" && edge.delayMinNs <= limits.executedWithinNs)
    .reduce((sum, edge) => sum + edge.openedAfter, 0)
}

export function isDriven(outside: Connection): boolean {
  return (outside.exchanges?.remoteLedAnswered ?? 0) >= limits.drivenExchanges
}

export function isInterpreter(exe: string): boolean {
  const file = exe.slice(exe.lastIndexOf("/") + 1).replace(/[0-9.]+$/, "")
  return (limits.interpreters as readonly string[]).includes(file)
}
