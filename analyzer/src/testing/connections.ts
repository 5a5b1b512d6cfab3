import type { Connection, ConnectionUpdate, Exchanges, SshRoles } from "../domain/connection.js"
import { startUs } from "./time.js"

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

/** A connection to 203.0.113.9:443, opened at `startUs`. */
export function anUpdate(changes: Partial<ConnectionUpdate> = {}): ConnectionUpdate {
  return {
    cookie: "00000000000003e8",
    netns: 4_026_531_840,
    process: "4711:1",
    initiator: "local",
    reason: "moved",
    protocol: "tcp",
    ssh: noSsh,
    olderThanCollector: false,
    established: true,
    local: { address: "10.1.2.3", port: 50_022 },
    remote: { address: "203.0.113.9", port: 443 },
    openedUs: startUs,
    observedUs: startUs,
    bytesSent: 4_096,
    bytesReceived: 1_234,
    exchanges: undefined,
    ...changes,
  }
}

/** The same as its first record has it: opened just now, nothing sent, its owner not known. */
export function anOpening(changes: Partial<ConnectionUpdate> = {}): ConnectionUpdate {
  return anUpdate({ process: undefined, reason: "opened", bytesSent: 0, bytesReceived: 0, ...changes })
}

export function aConnection(changes: Partial<Connection> = {}): Connection {
  return {
    cookie: "00000000000003e8",
    netns: 4_026_531_840,
    process: "4711:123456789",
    initiator: "local",
    protocol: "tcp",
    ssh: { localIdent: true, remoteIdent: true, localClient: true, remoteClient: false },
    olderThanCollector: false,
    established: true,
    local: { address: "10.1.2.3", port: 50_022 },
    remote: { address: "203.0.113.9", port: 443 },
    openedUs: startUs - 60_000_000,
    observedUs: startUs,
    lastMovedUs: startUs,
    bytesSent: 4_096,
    bytesReceived: 1_234,
    exchanges: undefined,
    closed: undefined,
    ...changes,
  }
}
