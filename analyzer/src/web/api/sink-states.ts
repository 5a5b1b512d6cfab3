import type { Condition, SinkState } from "@backflow/page/contract"
import type { AnalyzerStatus, DeliveryCounts, AlertStatus } from "../../telemetry/status.js"
import { severities } from "../../domain/severity.js"
import { durationText } from "../../text/amounts.js"

/** From so many waiting outputs on a sink is degraded: five seconds of a busy fleet. */
const manyWaiting = 200
/** From so many seconds on that its oldest alert waits, a destination is degraded. */
const longWait = 30
/** From this share of a full outbox on, a destination is degraded. */
const fullShare = 0.8

/** Watches how sinks move between two looks: a failure before the latest successful write is no condition. */
export class SinkStates {
  readonly #failing = new Map<string, DeliveryCounts>()

  /** The store first, then the rest; the page itself is not one. */
  of({ deliveries }: AnalyzerStatus, alerts: readonly AlertStatus[]): readonly SinkState[] {
    return [
      ...deliveries
        .filter(({ sink }) => sink !== "page")
        .map(({ sink, counts }) => ({ name: sink, condition: this.#deliveryCondition(sink, counts), ...counts })),
      ...alerts.map(alertState),
    ]
  }

  #deliveryCondition(name: string, counts: DeliveryCounts): Condition {
    return deliveryCondition(name, counts, this.#isFailing(name, counts))
  }

  /** A write failed, and none has succeeded since. */
  #isFailing(name: string, counts: DeliveryCounts): boolean {
    const before = this.#failing.get(name)
    if (counts.failures > (before?.failures ?? 0)) this.#failing.set(name, counts)
    const latest = this.#failing.get(name)
    return latest !== undefined && counts.written === latest.written && counts.failures > 0
  }
}

function alertState(alert: AlertStatus): SinkState {
  const { name, published, errors, depth, bytes, limitBytes, oldestSeconds } = alert
  return {
    name,
    condition: alertCondition(alert),
    written: published,
    failures: errors,
    shed: totalOf(alert.shed),
    waiting: depth,
    outbox: { bytes, limitBytes, oldestSeconds },
  }
}

function totalOf(shed: AlertStatus["shed"]): number {
  return Object.values(shed).reduce((sum, count) => sum + count, 0)
}

/** The gravest first: "3 high, 40 medium". */
function shedText(shed: AlertStatus["shed"]): string {
  return [...severities]
    .reverse()
    .filter((severity) => shed[severity] > 0)
    .map((severity) => `${shed[severity]} ${severity}`)
    .join(", ")
}

const ok: Condition = { state: "ok", text: "" }

/** What to do, for the store and for any other sink. */
const storeRemedies = {
  failing:
    "Collectors keep their records until the store responds: check the analyzer's log, and the disk or the ClickHouse server.",
  slow: "The store is slower than what comes in: check its disk and load.",
} as const
const sinkRemedies = { failing: "Check the analyzer's log.", slow: "Its reader is slow." } as const

/** What to do about alerts. */
const alertRemedies = {
  dropped: "Their findings are in the store; bring the receiver back, or raise alerts.outbox_bytes.",
  full: "Bring the receiver back, or raise alerts.outbox_bytes.",
  slow: "Check with backflow doctor whether the receiver is up.",
  refused: "The analyzer's log says why.",
  torn: "Check the disk.",
} as const

function deliveryCondition(name: string, { waiting }: DeliveryCounts, isFailing: boolean): Condition {
  const remedies = name === "store" ? storeRemedies : sinkRemedies
  if (isFailing)
    return { state: "failing", text: `Writes failed, retrying; ${waiting} outputs wait. ${remedies.failing}` }
  if (waiting >= manyWaiting) return { state: "degraded", text: `${waiting} outputs wait. ${remedies.slow}` }
  return ok
}

function alertCondition(alert: AlertStatus): Condition {
  const { condition, depth, bytes, limitBytes, oldestSeconds, torn, refused } = alert
  const shed = totalOf(alert.shed)
  const fill = `${Math.round((100 * bytes) / Math.max(1, limitBytes))} % of the outbox is full`
  const isNearlyFull = bytes >= limitBytes * fullShare
  const dropped = `${shed} alerts were dropped for lack of room (${shedText(alert.shed)})`
  if (condition.state === "stopped") return { state: "failing", text: condition.text }
  if (isNearlyFull)
    return {
      state: condition.state === "failing" || shed > 0 ? "failing" : "degraded",
      text: `${shed > 0 ? `${dropped}, ` : ""}${depth} alerts wait and ${fill}. ${alertRemedies.full} ${condition.text}`.trim(),
    }
  if (condition.state === "failing") return { state: "degraded", text: condition.text }
  if (oldestSeconds >= longWait) {
    const oldest = durationText(oldestSeconds * 1e6)
    return { state: "degraded", text: `${depth} alerts wait, the oldest for ${oldest}. ${alertRemedies.slow}` }
  }
  if (shed > 0) return { state: "degraded", text: `${dropped}. ${alertRemedies.dropped}` }
  if (refused > 0)
    return { state: "degraded", text: `${refused} alerts were refused for good. ${alertRemedies.refused}` }
  if (torn > 0) return { state: "degraded", text: `${torn} alerts were lost on disk. ${alertRemedies.torn}` }
  return ok
}
