/** What the turn-taking counters of a connection say. Pure numbers; the measured values are in the thresholds. */
import type { Exchanges } from "../../domain/connection.js"
import { invertedExchangesThresholds as limits } from "./thresholds.js"

/** The kernel sums 256 * log2(ns). */
const log2Scale = 256

export interface TurnFeatures {
  readonly remoteLed: number
  /** Of all exchanges, 0..1. */
  readonly remoteLedShare: number
  /** Of remote-led exchanges, 0..1. */
  readonly answeredShare: number
  /** Geometric mean in ns; undefined without an answered exchange. */
  readonly localReplyNs: number | undefined
  readonly remoteReplyNs: number | undefined
  /** Local over remote reply time; undefined where one side never answered. */
  readonly turnaroundRatio: number | undefined
  /** Of answered remote-led exchanges but the first: answers as large as the one before, 0..1. */
  readonly sameSizeShare: number
  /** Of answered remote-led exchanges, 0..1. */
  readonly alternationShare: number
  /** Of answered remote-led exchanges. */
  readonly meanAnswerBytes: number
}

export function turnFeatures(x: Exchanges): TurnFeatures {
  const localReplyNs = geometricMean(x.localReplyLog2, x.remoteLedAnswered)
  const remoteReplyNs = geometricMean(x.remoteReplyLog2, x.localLedAnswered)
  return {
    remoteLed: x.remoteLed,
    remoteLedShare: share(x.remoteLed, x.remoteLed + x.localLed),
    answeredShare: share(x.remoteLedAnswered, x.remoteLed),
    localReplyNs,
    remoteReplyNs,
    turnaroundRatio:
      localReplyNs === undefined || remoteReplyNs === undefined ? undefined : localReplyNs / remoteReplyNs,
    // The last exchange is counted when the next one begins.
    sameSizeShare: share(x.sameSizeAnswers, x.remoteLedAnswered - 2),
    alternationShare: share(x.strictAlternations, x.remoteLedAnswered - 1),
    meanAnswerBytes: x.remoteLedAnswered > 0 ? x.answerBytes / x.remoteLedAnswered : 0,
  }
}

/** The remote drives: it leads, this host answers, and faster than the remote does. */
export function isInverted(f: TurnFeatures): boolean {
  if (f.remoteLed < limits.minRemoteLed) return false
  if (f.remoteLedShare < limits.minRemoteLedShare || f.answeredShare < limits.minAnsweredShare) return false
  if (f.turnaroundRatio !== undefined) return f.turnaroundRatio <= limits.maxTurnaroundRatio
  return f.localReplyNs !== undefined && f.localReplyNs <= limits.machineReplyNs
}

/** Of an SSH session whose client is at this end: the far side leads all the same, and not by keep-alives. */
export function isLedBackwards(f: TurnFeatures): boolean {
  const { relayed } = limits
  if (f.remoteLed < relayed.minRemoteLed || f.remoteLedShare < relayed.minRemoteLedShare) return false
  return f.answeredShare >= limits.minAnsweredShare && f.meanAnswerBytes >= relayed.minAnswerBytes
}

/** The answer is the next request of a consumer or runner: always one message each way, always the same size. */
export function isLongPoll(f: TurnFeatures): boolean {
  return f.sameSizeShare >= limits.longPollSameSize && f.alternationShare >= limits.longPollAlternation
}

/** 0..maxScore; never falls when more is remote-led, more is answered, or the local reply is faster. */
export function invertedScore(f: TurnFeatures): number {
  const speed = f.turnaroundRatio ?? (f.localReplyNs ?? Number.POSITIVE_INFINITY) / limits.machineReplyNs
  const quick = 1 / (1 + Math.max(0, speed))
  return limits.maxScore * clamp(f.remoteLedShare) * clamp(f.answeredShare) * quick
}

function geometricMean(log2Sum: number, count: number): number | undefined {
  return count > 0 ? 2 ** (log2Sum / log2Scale / count) : undefined
}

function share(part: number, whole: number): number {
  return whole > 0 ? clamp(part / whole) : 0
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value))
}
