/** What a process was asked for, in words that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { endpointText } from "../../text/endpoint.js"
import { processText } from "../../text/program-name.js"
import { intentThresholds as limits } from "./thresholds.js"
import type { Intent, TunnelRequest } from "./request.js"

export const detectorName = "intent"

/** The claim as it stands. The connection's owner is shown when it has the words itself, else the newest that has them. */
export function claimOf(
  { subject, request, members, outside, firstSeenUs }: Intent,
  status: Claim["status"],
  view: View,
): Claim {
  const owner = outside?.process
  const process = owner !== undefined && members.has(owner) ? owner : ([...members].at(-1) ?? subject)
  const who = processText(view.process(process))
  const place = outside ? endpointText(outside.remote) : ""
  const reached = outside
    ? `it ${outside.established ? "connected" : "tried to connect"} to ${place}`
    : "no connection to the outside has been seen"
  return {
    class: "tunnel_intent",
    detector: detectorName,
    subject,
    score: outside ? limits.connectedScore : limits.unconnectedScore,
    confidence: request.confidence,
    firstSeenUs,
    lastSeenUs: view.nowUs,
    process,
    cookie: outside?.cookie ?? "",
    summary: `${who} on ${view.host.hostName} was asked for ${what[request.kind]} (${cut(request.spellings[0] ?? request.tool, limits.summaryCharacters)}); ${reached}.`,
    evidence: outside ? withConnection(request.evidence, outside) : request.evidence,
    attack: request.kind === "shell" ? ["T1059.004"] : ["T1572", "T1090"],
    status,
  }
}

const what: Readonly<Record<TunnelRequest["kind"], string>> = {
  "remote-forward": "a port at the far side that leads back in",
  tun: "a network interface that joins both sides",
  tool: "a tunnel",
  shell: "a shell that takes its commands from outside",
}

function withConnection([first, ...rest]: TunnelRequest["evidence"], outside: Connection): TunnelRequest["evidence"] {
  return [first, ...rest, connectionEvidence(outside)]
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
