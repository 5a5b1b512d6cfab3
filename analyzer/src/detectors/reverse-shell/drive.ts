/** Signs that the far side of an outside connection drives a child: pure functions over counters. */
import type { Connection } from "../../domain/connection.js"
import type { Attachment, CouplingEdge } from "../../domain/coupling.js"
import { programName } from "../../text/program-name.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

/** Totals of one moment: what the child has read, what has come in from outside. */
export interface Sample {
  readonly read: number
  readonly received: number
}

/** The last moments, and the most bytes and the number of moments at which both had moved alike. */
export interface ByteMatch {
  readonly samples: readonly Sample[]
  readonly bytes: number
  readonly moments: number
}

export const noMatch: ByteMatch = { samples: [], bytes: 0, moments: 0 }

/**
 * Adds a moment and compares it with those before: between two moments that are in step, the child read exactly what came
 * in. Both totals are sampled at different times, so that most moments are out of step even for a shell; start-up files
 * are read before the first command. An agent that turns long answers into short commands is never in step.
 */
export function advanceMatch(match: ByteMatch, attachment: Attachment, outside: Connection): ByteMatch {
  const now: Sample = { read: attachment.childRead, received: outside.bytesReceived }
  const last = match.samples.at(-1)
  if (last?.read === now.read && last.received === now.received) return match
  const alike = match.samples
    .map((then) => (now.read - then.read === now.received - then.received ? now.read - then.read : 0))
    .reduce((most, bytes) => Math.max(most, bytes), 0)
  return {
    samples: [...match.samples.slice(1 - limits.matchedSamples), now],
    bytes: Math.max(match.bytes, alike),
    moments: match.moments + (alike > 0 ? 1 : 0),
  }
}

export function bytesAgree(match: ByteMatch): boolean {
  return match.bytes >= limits.matchedBytes || match.moments >= limits.matchedMoments
}

/** Programs that were executed below the owner of A right after the far side spoke. */
export function executedOnDemand(edges: readonly CouplingEdge[]): number {
  return edges
    .filter((edge) => edge.kind === "exec" && edge.delayMinNs <= limits.executedWithinNs)
    .reduce((sum, edge) => sum + edge.openedAfter, 0)
}

/** The far side leads, this host answers, and programs are executed on demand. */
export function isDriven(outside: Connection, executed: number): boolean {
  const answered = outside.exchanges?.remoteLedAnswered ?? 0
  return answered > 0 && executed > 0 && answered + executed >= limits.drivenSigns
}

export function isInterpreter(exe: string): boolean {
  const file = programName(exe).replace(/[0-9.]+$/, "")
  return (limits.interpreters as readonly string[]).includes(file)
}
