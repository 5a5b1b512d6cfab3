/** What a process was asked for, in words that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { durationText, plural } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import { processText } from "../../text/program-name.js"
import { intentThresholds as limits } from "./thresholds.js"
import type { Intent, TunnelRequest } from "./request.js"

export const detectorName = "intent"

/** The claim as it stands. */
export function claimOf(intent: Intent, status: Claim["status"], view: View): Claim {
  const { subject, request, outside, shown, firstSeenUs, lastRunUs } = intent
  return {
    class: "tunnel_intent",
    detector: detectorName,
    subject,
    score: outside && request.kind !== "unread" ? limits.connectedScore : limits.unconnectedScore,
    confidence: request.confidence,
    firstSeenUs,
    lastSeenUs: status === "active" ? view.nowUs : lastRunUs,
    process: shown.key,
    facts: shown,
    cookie: outside?.cookie ?? "",
    summary: summaryOf(intent, view),
    evidence: evidenceOf(intent),
    attack: request.kind === "shell" ? ["T1059.004"] : ["T1572", "T1090"],
    status,
  }
}

function summaryOf({ request, isJoined, shown, outside, tries, firstSeenUs, lastTryUs }: Intent, view: View): string {
  const who = `${processText(shown)} on ${view.host.hostName}`
  const words = `${what[request.kind]} (${cut(request.spellings[0] ?? request.tool, limits.summaryCharacters)})`
  const place = outside ? endpointText(outside.remote) : ""
  const reached = outside
    ? `it ${outside.established ? "connected" : "tried to connect"} to ${place}`
    : "no connection to the outside has been seen"
  const times = `${tries} times in ${durationText(Math.max(1_000_000, lastTryUs - firstSeenUs))}`
  if (isJoined)
    return `${who} and others of the same user were asked ${times} for ever new ways in, such as ${words}; ${reached}.`
  if (request.kind === "unread")
    return `${who} has a command line of which the end was not read: it may ask for a way back in; ${reached}.`
  return `${who} was asked for ${words}; ${reached}.${tries < limits.retried ? "" : ` Tried ${times}.`}`
}

function evidenceOf(intent: Intent): Claim["evidence"] {
  const [first, ...rest] = intent.isJoined ? examplesOf(intent) : intent.request.evidence
  const connection = intent.outside === undefined ? [] : [connectionEvidence(intent.outside)]
  return [first, ...rest, ...connection, ...triesEvidence(intent)]
}

function examplesOf({ request, examples }: Intent): TunnelRequest["evidence"] {
  const [latest] = request.evidence
  return [latest, ...examples.map(({ evidence: [first] }) => first).filter((one) => one !== latest)]
}

function triesEvidence({ tries, running, dialled, connected, isJoined, firstSeenUs, lastTryUs }: Intent): Evidence[] {
  if (tries < limits.retried) return []
  const unlike = isJoined ? `More than ${limits.requests} different requests in a short time are told together. ` : ""
  return [
    {
      kind: "tries",
      text: `${unlike}Asked ${tries} times, ${running.size} of them run now; ${plural(dialled, "connection")} to the outside tried, ${connected} made.`,
      atUs: lastTryUs,
      facts: {
        tries,
        running: running.size,
        dialled,
        connected,
        seconds: Math.max(0, Math.round((lastTryUs - firstSeenUs) / 1e6)),
      },
    },
  ]
}

const what: Readonly<Record<TunnelRequest["kind"], string>> = {
  "remote-forward": "a port at the far side that leads back in",
  tun: "a network interface that joins both sides",
  tool: "a tunnel",
  shell: "a shell that takes its commands from outside",
  unread: "what stands behind the part of its command line that was read",
}

function connectionEvidence(outside: Connection): Evidence {
  const place = endpointText(outside.remote)
  return {
    kind: "connection",
    text: outside.established ? `Connected to ${place}.` : `Tried to connect to ${place}; it was not answered.`,
    atUs: outside.openedUs,
    facts: { outside: place, cookie: outside.cookie, established: outside.established },
  }
}

export function argvEvidence(facts: ProcessFacts, text: string): Evidence {
  const shown = cut(text, limits.evidenceCharacters)
  return {
    kind: "argv",
    text: `The command line says: ${shown}`,
    atUs: facts.execUs,
    facts: { argv: shown, pid: facts.pid, argv_truncated: facts.argvTruncated },
  }
}

export function fileEvidence(facts: ProcessFacts, path: string, directive: string): Evidence {
  const shown = cut(directive, limits.evidenceCharacters)
  return {
    kind: "config-file",
    text: `${path}, which the client reads, says: ${shown}`,
    atUs: facts.execUs,
    facts: { path, directive: shown, pid: facts.pid },
  }
}

function cut(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters)}…` : text
}
