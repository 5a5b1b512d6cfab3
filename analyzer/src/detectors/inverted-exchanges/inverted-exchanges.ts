/** Inverted exchanges: on a connection that this host opened, the remote speaks first and this host answers. Supporting. */
import type { Connection } from "../../domain/connection.js"
import type { Claim, Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { endpointText } from "../coupling/evidence.js"
import { processText } from "../../text/program-name.js"
import { isOutbound } from "../outbound.js"
import { thresholds } from "../thresholds.js"
import { invertedScore, isInverted, isLongPoll, turnFeatures, type TurnFeatures } from "./features.js"

const name = "inverted-exchanges"
const limits = thresholds.invertedExchanges

interface Published {
  readonly claim: Claim
  readonly remoteLed: number
}

export function invertedExchanges(): Detector {
  const claimed = new Map<string, Published>()
  return {
    name,
    observe(change, view) {
      if (change.kind !== "connection") return []
      const { connection } = change
      const { exchanges } = connection
      if (exchanges === undefined) return []
      const before = claimed.get(connection.cookie)
      if (connection.closed !== undefined) {
        claimed.delete(connection.cookie)
        return before ? [{ ...before.claim, lastSeenUs: connection.observedUs, status: "ended" }] : []
      }
      if (exchanges.remoteLed < limits.minRemoteLed || !isOutbound(connection, view)) return []
      if (before && exchanges.remoteLed < before.remoteLed * limits.repeatFactor) return []
      const features = turnFeatures(exchanges)
      if (!isInverted(features)) return []
      const made = claim(connection, features, view, before?.claim)
      claimed.set(connection.cookie, { claim: made, remoteLed: features.remoteLed })
      return [made]
    },
    tick: () => [],
  }
}

function claim(connection: Connection, features: TurnFeatures, view: View, before: Claim | undefined): Claim {
  const { cookie, process, observedUs } = connection
  const longPoll = isLongPoll(features)
  const place = endpointText(connection.remote)
  const who = processText(process === undefined ? undefined : view.process(process))
  return {
    class: "inverted_flow",
    detector: name,
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
    evidence: [
      {
        kind: "turn-taking",
        text: `${percent(features.remoteLedShare)} of exchanges were led by the far side; this host answered ${percent(features.answeredShare)} of them, after ${milliseconds(features.localReplyNs)} on average.`,
        atUs: observedUs,
        facts: {
          remote_led: features.remoteLed,
          remote_led_share: round(features.remoteLedShare),
          answered_share: round(features.answeredShare),
          local_reply_ns: Math.round(features.localReplyNs ?? 0),
          remote_reply_ns: Math.round(features.remoteReplyNs ?? 0),
          turnaround_ratio: round(features.turnaroundRatio ?? 0),
          same_size_share: round(features.sameSizeShare),
          alternation_share: round(features.alternationShare),
          long_poll: longPoll,
        },
      },
    ],
    attack: ["T1071"],
    status: "active",
    facts: { long_poll: longPoll },
  }
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`
}

function milliseconds(ns: number | undefined): string {
  return ns === undefined ? "an unknown time" : `${(ns / 1e6).toFixed(ns < 1e7 ? 2 : 0)} ms`
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
