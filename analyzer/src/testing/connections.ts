import type { Connection, ConnectionUpdate, Exchanges, SshRoles } from "../domain/connection.js"
import { at, startUs } from "./time.js"

export const noSsh: SshRoles = { localIdent: false, remoteIdent: false, localClient: false, remoteClient: false }
export const sshClient: SshRoles = { localIdent: true, remoteIdent: true, localClient: true, remoteClient: false }
export const sshServer: SshRoles = { localIdent: true, remoteIdent: true, localClient: false, remoteClient: true }

export const noExchanges: Exchanges = {
  remoteLed: 0,
  remoteLedAnswered: 0,
  localLed: 0,
  localLedAnswered: 0,
  localReplyLog2: 0,
  remoteReplyLog2: 0,
  sameSizeAnswers: 0,
  strictAlternations: 0,
  answerBytes: 0,
}

const observation: Omit<ConnectionUpdate, "reason"> = {
  cookie: "00000000000003e8",
  netns: 4_026_531_840,
  process: "4711:1",
  initiator: "local",
  protocol: "tcp",
  ssh: noSsh,
  olderThanCollector: false,
  established: true,
  local: { address: "10.1.2.3", port: 50_022 },
  remote: { address: "203.0.113.9", port: 443 },
  route: "unknown",
  openedUs: startUs,
  observedUs: startUs,
  bytesSent: 4_096,
  bytesReceived: 1_234,
  exchanges: undefined,
}

/** A connection to 203.0.113.9:443, opened at `startUs`. */
export function anUpdate(changes: Partial<ConnectionUpdate> = {}): ConnectionUpdate {
  return { ...observation, reason: "moved", ...changes }
}

/** The same as its first record has it: opened just now, nothing sent, its owner not known. */
export function anOpening(changes: Partial<ConnectionUpdate> = {}): ConnectionUpdate {
  return anUpdate({ process: undefined, reason: "opened", bytesSent: 0, bytesReceived: 0, ...changes })
}

/** The same a minute old, of an SSH client. */
export function aConnection(changes: Partial<Connection> = {}): Connection {
  return {
    ...observation,
    process: "4711:123456789",
    ssh: sshClient,
    openedUs: at(-60),
    lastMovedUs: startUs,
    closed: undefined,
    ...changes,
  }
}
