/**
 * Long-lived outbound SSH: a channel to the outside that stays, on any port, silent or not. Age is counted while the
 * connection lives, by event time and not by its packets.
 */
import type { Connection } from "../../domain/connection.js"
import type { Claim, Detector } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { endpointText } from "../coupling/evidence.js"
import { processText } from "../../text/program-name.js"
import { isOutbound } from "../outbound.js"
import { thresholds } from "../thresholds.js"
import { durationText, identified, isStandingSsh, userOf, type Identified, type User } from "./standing.js"

const name = "long-lived-ssh"
const limits = thresholds.longLivedSsh
const secondUs = 1_000_000

export interface LongLivedSshOptions {
  /** Age at which a connection is claimed, in seconds: `detectors.long_lived_ssh.after_seconds`. */
  readonly afterSeconds: number
}

interface Watched {
  readonly dueUs: Microseconds
  readonly claim: Claim | undefined
}

export function longLivedSsh({ afterSeconds }: LongLivedSshOptions): Detector {
  const watched = new Map<string, Watched>()
  let nextDueUs = Number.POSITIVE_INFINITY

  function watch(connection: Connection, view: View): readonly Claim[] {
    const { cookie, ssh, olderThanCollector } = connection
    if (!ssh.localIdent && !ssh.remoteIdent && !olderThanCollector) return []
    const known = watched.get(cookie)
    if (connection.closed !== undefined) {
      watched.delete(cookie)
      return known?.claim ? [{ ...claim(connection, known.claim, view), status: "ended" }] : []
    }
    if (known || !isOutbound(connection, view) || !isStandingSsh(connection, view)) return []
    if (watched.size >= limits.watched) forgetOldest(watched)
    const dueUs = connection.openedUs + afterSeconds * secondUs
    watched.set(cookie, { dueUs, claim: undefined })
    nextDueUs = Math.min(nextDueUs, dueUs)
    return []
  }

  return {
    name,
    observe: (change, view) => (change.kind === "connection" ? watch(change.connection, view) : []),
    tick(nowUs, view) {
      if (nowUs < nextDueUs) return []
      const claims: Claim[] = []
      nextDueUs = Number.POSITIVE_INFINITY
      for (const [cookie, { dueUs, claim: before }] of watched) {
        const connection = view.connection(cookie)
        if (connection?.closed !== undefined || connection === undefined) watched.delete(cookie)
        else if (dueUs <= nowUs) {
          const made = isStandingSsh(connection, view) ? claim(connection, before, view) : undefined
          if (made) claims.push(made)
          watched.set(cookie, { dueUs: nowUs + limits.repeatUs, claim: made ?? before })
        }
        nextDueUs = Math.min(nextDueUs, watched.get(cookie)?.dueUs ?? nextDueUs)
      }
      return claims
    },
  }
}

function forgetOldest(watched: Map<string, Watched>): void {
  const oldest = watched.keys().next()
  if (oldest.done !== true) watched.delete(oldest.value)
}

function claim(connection: Connection, before: Claim | undefined, view: View): Claim {
  const { cookie, process, openedUs } = connection
  const atUs = connection.closed === undefined ? view.nowUs : connection.observedUs
  const seen = identified(connection)
  const user = userOf(connection, atUs, view)
  const ageUs = Math.max(0, atUs - openedUs)
  const who = processText(process === undefined ? undefined : view.process(process))
  return {
    class: "long_lived_ssh",
    detector: name,
    subject: cookie,
    score: limits.score[user],
    confidence: limits.confidence[seen],
    firstSeenUs: openedUs,
    lastSeenUs: atUs,
    process,
    cookie,
    summary: `${who} on ${view.host.hostName} has kept an SSH connection to ${endpointText(connection.remote)} open for ${durationText(ageUs)}, ${userText[user]}.`,
    evidence: [ageEvidence(connection, ageUs, atUs), identifiedEvidence(connection, seen), userEvidence(user, atUs)],
    attack: before?.attack ?? ["T1572", "T1021.004"],
    status: "active",
    facts: { user, identified: seen, terminal: user === "terminal" },
  }
}

const userText: Readonly<Record<User, string>> = {
  noTerminal: "with no terminal, so that nobody on this host sits at it",
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
  return { kind: "terminal", text: `The client runs ${userText[user]}.`, atUs, facts: { user } }
}
