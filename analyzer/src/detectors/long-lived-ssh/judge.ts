/** What kind of standing channel an SSH connection is: how it was recognised and who uses it. */
import type { Connection } from "../../domain/connection.js"
import type { ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { forwardDirective } from "../ssh-client/argv.js"
import { isSshClient, isSshClientByName } from "../ssh-client/programs.js"
import { autosshEcho, sshArgvOf, sshUseOf, type SshUse } from "../ssh-client/use.js"
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

/** What a client does for somebody on this host, by its own words. */
const userOfUse: Readonly<Record<SshUse, User>> = {
  command: "command",
  "local-forward": "localForward",
  "stdio-forward": "stdioForward",
  master: "master",
  session: "noTerminal",
  idle: "noTerminal",
}

export function userOf(connection: Connection, atUs: number, view: View): User {
  const { process } = connection
  const facts = process === undefined ? undefined : view.process(process)
  if (facts === undefined) return "noTerminal"
  const ancestors = view.ancestors(facts.key)
  if (isMovingFiles(connection, atUs, ancestors)) return "movingFiles"
  if (facts.hasTty && !wentToBackground(facts)) return "terminal"
  // Of a program under another name it is not known what its words mean.
  if (!isSshClient(facts) || letsIn(facts, ancestors[0])) return "noTerminal"
  return userOfUse[sshUseOf(facts)]
}

/** It was asked for a way back in: what else it is used for explains nothing. */
function letsIn(facts: ProcessFacts, parent: ProcessFacts | undefined): boolean {
  const { forwards, cleared } = sshArgvOf(facts)
  const echo = autosshEcho(facts, parent)
  const inFiles = !cleared && facts.sshForwards.some(({ directive }) => forwardDirective(directive) !== undefined)
  return forwards.some(({ what }) => what !== echo) || inFiles
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
  return isSshClient(facts) && sshArgvOf(facts).background
}

function isOneOf(name: string, names: readonly string[]): boolean {
  return names.includes(name)
}
