/** Whether the far side of an outside connection drives a program: pure functions over facts and counters. */
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { ProcessFacts } from "../../domain/identity.js"
import { programName } from "../../text/program-name.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

/** A program that may take commands, and the outside connection that it may take them from. */
export interface Suspect {
  readonly attachment: Attachment
  readonly shell: ProcessFacts
  readonly outside: Connection
}

export type Reason = keyof typeof limits.verdicts

/** Bits of the descriptors that the connection stands in for. */
const stdin = 1
const stdoutAndStderr = 2 | 4

/** An SSH server started with the connection as its stdio is another claim: see ssh-role-inversion. */
export function judgeStdio({ attachment, shell, outside }: Suspect): Reason | undefined {
  const bothWays = (attachment.stdioMask & stdin) !== 0 && (attachment.stdioMask & stdoutAndStderr) !== 0
  if (!bothWays || outside.ssh.localIdent) return undefined
  return isInterpreter(shell.exe) ? "stdioShell" : "stdioProgram"
}

/** Totals of one moment: what the child has read, what has come in from outside. */
export interface Sample {
  readonly read: number
  readonly received: number
}

/** The last moments, the most bytes and the number of moments at which both had moved alike, and at which the child read. */
export interface ByteMatch {
  readonly samples: readonly Sample[]
  readonly bytes: number
  readonly moments: number
  readonly reads: number
}

export const noMatch: ByteMatch = { samples: [], bytes: 0, moments: 0, reads: 0 }

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
    .reduce((max, bytes) => Math.max(max, bytes), 0)
  return {
    samples: [...match.samples.slice(1 - limits.matchedSamples), now],
    bytes: Math.max(match.bytes, alike),
    moments: match.moments + (alike > 0 ? 1 : 0),
    // What is read before anything has come in is for the program itself.
    reads: match.reads + (last !== undefined && last.received > 0 && last.read !== now.read ? 1 : 0),
  }
}

/** For a program behind a pty or pipes: it read what came in, and nothing else. A shell goes by any name. */
export function judgeBytes({ bytes, moments, reads }: ByteMatch, { attachment, shell }: Suspect): Reason | undefined {
  if (bytes < limits.matchedBytes && moments < limits.matchedMoments) return undefined
  if (moments < reads * limits.matchedShare) return undefined
  if (attachment.kind === "pipe-between") return isInterpreter(shell.exe) ? "bytesMatchBetween" : undefined
  if (isInterpreter(shell.exe)) return "bytesMatch"
  return attachment.kind === "pty" ? "bytesMatchTerminal" : "bytesMatchPipes"
}

export function isInterpreter(exe: string): boolean {
  const file = programName(exe).replace(/[0-9.]+$/, "")
  return (limits.interpreters as readonly string[]).includes(file)
}
