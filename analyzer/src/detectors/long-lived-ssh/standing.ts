/** What kind of standing channel an SSH connection is: how it was recognised and who uses it. */
import type { Connection } from "../../domain/connection.js"
import type { ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { parseSshArgv } from "../intent/ssh-argv.js"
import { sshGrammarOf } from "../intent/ssh-programs.js"
import { programName } from "../../text/program-name.js"
import { thresholds } from "../thresholds.js"

const limits = thresholds.longLivedSsh

export type Identified = keyof typeof limits.confidence
export type User = keyof typeof limits.score

/** With the far side as the SSH client it is another claim: see ssh-role-inversion. */
export function isStandingSsh(connection: Connection, view: View): boolean {
  const { ssh, protocol, olderThanCollector, process, remote } = connection
  if (protocol !== "tcp" || ssh.remoteClient) return false
  if (ssh.localIdent || ssh.remoteIdent) return true
  const exe = (process === undefined ? undefined : view.process(process))?.exe ?? ""
  return olderThanCollector && remote.port === 22 && isOneOf(programName(exe), limits.clients)
}

export function identified({ ssh }: Connection): Identified {
  if (ssh.localIdent && ssh.remoteIdent) return "bothSides"
  return ssh.localIdent || ssh.remoteIdent ? "oneSide" : "nameAndPort"
}

export function userOf(connection: Connection, atUs: number, view: View): User {
  const { process } = connection
  const facts = process === undefined ? undefined : view.process(process)
  if (facts !== undefined && isMovingFiles(connection, atUs, view.ancestors(facts.key))) return "movingFiles"
  return facts?.hasTty === true && !wentToBackground(facts) ? "terminal" : "noTerminal"
}

/** A program's name alone would be a disguise: it must also move what it is there for. */
function isMovingFiles(connection: Connection, atUs: number, ancestors: readonly ProcessFacts[]): boolean {
  const [parent] = ancestors
  if (parent === undefined || !isOneOf(programName(parent.exe), limits.fileTransferPrograms)) return false
  const seconds = Math.max(1, (atUs - connection.openedUs) / 1e6)
  return (connection.bytesSent + connection.bytesReceived) / seconds >= limits.bulkBytesPerSecond
}

/** `ssh -f` leaves its terminal after the login, later than the facts may tell. */
function wentToBackground(facts: ProcessFacts): boolean {
  const grammar = sshGrammarOf(facts)
  return grammar !== undefined && parseSshArgv(facts.argv, grammar).background
}

function isOneOf(name: string, names: readonly string[]): boolean {
  return names.includes(name)
}

/** "12 minutes", in the largest unit that is at least one. */
export function durationText(us: number): string {
  const seconds = Math.floor(us / 1e6)
  for (const [unit, length] of [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const) {
    const count = Math.floor(seconds / length)
    if (count > 0) return count === 1 ? `1 ${unit}` : `${count} ${unit}s`
  }
  return seconds === 1 ? "1 second" : `${seconds} seconds`
}
