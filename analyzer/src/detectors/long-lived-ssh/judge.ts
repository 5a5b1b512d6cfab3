/** What kind of standing channel an SSH connection is: how it was recognised and who uses it. */
import type { Connection } from "../../domain/connection.js"
import type { ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { parseSshArgv } from "../ssh-client/argv.js"
import { isSshClientByName, sshGrammarOf } from "../ssh-client/programs.js"
import { programName } from "../../text/program-name.js"
import { longLivedSshThresholds as limits } from "./thresholds.js"

export type Identified = keyof typeof limits.confidence
export type User = keyof typeof limits.score

/** With the far side as the SSH client it is another claim: see ssh-role-inversion. */
export function isStandingSsh(connection: Connection, view: View): boolean {
  const { ssh, protocol, process } = connection
  if (protocol !== "tcp" || ssh.remoteClient) return false
  if (ssh.localIdent || ssh.remoteIdent) return true
  return isSshClientByName(connection, process === undefined ? undefined : view.process(process))
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
