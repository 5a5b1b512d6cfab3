/** A standing SSH channel in words and numbers that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { View } from "../../domain/view.js"
import { durationText } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import { processText } from "../../text/program-name.js"
import { identified, userOf, type Identified, type User } from "./judge.js"
import { longLivedSshThresholds as limits } from "./thresholds.js"

export const detectorName = "long-lived-ssh"

export function claimOf(connection: Connection, view: View): Claim {
  const { cookie, process, openedUs } = connection
  const atUs = connection.closed === undefined ? view.nowUs : connection.observedUs
  const seen = identified(connection)
  const user = userOf(connection, atUs, view)
  const ageUs = Math.max(0, atUs - openedUs)
  const who = processText(process === undefined ? undefined : view.process(process))
  return {
    class: "long_lived_ssh",
    detector: detectorName,
    subject: cookie,
    score: limits.score[user],
    confidence: limits.confidence[seen],
    firstSeenUs: openedUs,
    lastSeenUs: atUs,
    process,
    cookie,
    summary: `${who} on ${view.host.hostName} has kept an SSH connection to ${endpointText(connection.remote)} open for ${durationText(ageUs)}, ${userText[user]}.`,
    evidence: [ageEvidence(connection, ageUs, atUs), identifiedEvidence(connection, seen), userEvidence(user, atUs)],
    attack: ["T1572", "T1021.004"],
    status: "active",
  }
}

const userText: Readonly<Record<User, string>> = {
  noTerminal: "with no terminal, so that nobody on this host sits at it",
  command: "for a command that its command line names",
  localForward: "for forwardings that are used from this host (-L, -D)",
  stdioForward: "as the way of another client (-W)",
  master: "as the master that other clients work through",
  terminal: "from a terminal, as a person does who stays logged in",
  movingFiles: "moving files",
}

function ageEvidence(connection: Connection, ageUs: number, atUs: number): Evidence {
  const silentUs = Math.max(0, atUs - connection.lastMovedUs)
  return {
    kind: "age",
    text: `Opened ${durationText(ageUs)} ago; the last byte was seen ${durationText(silentUs)} ago.`,
    atUs,
    facts: {
      age_seconds: Math.round(ageUs / 1e6),
      silent_seconds: Math.round(silentUs / 1e6),
      bytes_sent: connection.bytesSent,
      bytes_received: connection.bytesReceived,
    },
  }
}

const identifiedText: Readonly<Record<Identified, string>> = {
  bothSides: "Both sides sent an SSH identification string.",
  oneSide: "One side sent an SSH identification string.",
  nameAndPort:
    "The connection is older than the collector, so that its first bytes were not seen: an SSH client by name, and port 22.",
}

function identifiedEvidence(connection: Connection, seen: Identified): Evidence {
  return {
    kind: "ssh-identification",
    text: identifiedText[seen],
    atUs: connection.openedUs,
    facts: { ...connection.ssh, older_than_collector: connection.olderThanCollector, port: connection.remote.port },
  }
}

function userEvidence(user: User, atUs: number): Evidence {
  return { kind: "terminal", text: `It stands ${userText[user]}.`, atUs, facts: { user } }
}
