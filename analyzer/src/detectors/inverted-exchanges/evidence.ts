/** Who leads a connection, in words and numbers that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { delayText } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import { processText } from "../../text/program-name.js"
import { invertedScore, isLongPoll, type TurnFeatures } from "./judge.js"
import { invertedExchangesThresholds as limits } from "./thresholds.js"

export const detectorName = "inverted-exchanges"

export function claimOf(connection: Connection, features: TurnFeatures, view: View, before: Claim | undefined): Claim {
  const { cookie, process, observedUs } = connection
  const longPoll = isLongPoll(features)
  const place = endpointText(connection.remote)
  const who = processText(process === undefined ? undefined : view.process(process))
  return {
    class: "inverted_flow",
    detector: detectorName,
    subject: cookie,
    score: longPoll ? Math.min(limits.longPollScore, invertedScore(features)) : invertedScore(features),
    confidence: limits.confidence,
    firstSeenUs: before?.firstSeenUs ?? observedUs,
    lastSeenUs: observedUs,
    process,
    cookie,
    summary: longPoll
      ? `${who} on ${view.host.hostName} waits for ${place} to speak and answers every time with the same size, as a consumer or runner that polls does.`
      : `${who} on ${view.host.hostName} is driven by ${place}: the far side spoke first ${features.remoteLed} times and got its answer within a second.`,
    evidence: [turnEvidence(features, longPoll, observedUs)],
    attack: ["T1071"],
    status: "active",
  }
}

/** A session that the SSH server of this host passes on, in which the far side leads. */
export function relayedClaimOf(connection: Connection, features: TurnFeatures, view: View): Claim {
  const { cookie, process, observedUs } = connection
  const place = endpointText(connection.remote)
  const who = processText(process === undefined ? undefined : view.process(process))
  return {
    class: "reverse_tunnel",
    detector: detectorName,
    subject: `relayed ${cookie}`,
    score: limits.relayed.score,
    confidence: limits.relayed.confidence,
    firstSeenUs: observedUs,
    lastSeenUs: observedUs,
    process,
    cookie,
    summary: `${who} on ${view.host.hostName}, an SSH server, passes an SSH session on to ${place}, in which the far side leads: it spoke first ${features.remoteLed} times and got ${Math.round(features.meanAnswerBytes)} bytes on average within a second, as through a forwarding back in.`,
    evidence: [turnEvidence(features, false, observedUs)],
    attack: ["T1572", "T1090"],
    status: "active",
  }
}

function turnEvidence(features: TurnFeatures, longPoll: boolean, atUs: Microseconds): Evidence {
  const { localReplyNs } = features
  const reply = localReplyNs === undefined ? "an unknown time" : delayText(localReplyNs)
  return {
    kind: "turn-taking",
    text: `${percent(features.remoteLedShare)} of exchanges were led by the far side; this host answered ${percent(features.answeredShare)} of them, after ${reply} on average.`,
    atUs,
    facts: {
      remote_led: features.remoteLed,
      remote_led_share: round(features.remoteLedShare),
      answered_share: round(features.answeredShare),
      local_reply_ns: Math.round(features.localReplyNs ?? 0),
      remote_reply_ns: Math.round(features.remoteReplyNs ?? 0),
      turnaround_ratio: round(features.turnaroundRatio ?? 0),
      same_size_share: round(features.sameSizeShare),
      alternation_share: round(features.alternationShare),
      mean_answer_bytes: Math.round(features.meanAnswerBytes),
      long_poll: longPoll,
    },
  }
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
