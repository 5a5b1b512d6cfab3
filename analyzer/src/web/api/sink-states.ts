import type { Condition, SinkState } from "@backflow/page/contract"
import type { AnalyzerStatus, DeliveryCounts, AlertStatus } from "../../telemetry/status.js"

/** Outputs that may wait before it is told: five seconds of a busy fleet. */
const manyWaiting = 200
/** Seconds that an alert may wait before it is told. */
const longWait = 30
/** Share of the outbox that may be full before it is told. */
const fullShare = 0.8

/** Watches how sinks move between two looks: a failure that was got over is not a condition. */
export class SinkStates {
  readonly #failing = new Map<string, DeliveryCounts>()

  /** The store first, then the rest; the page itself is not one. */
  of({ deliveries }: AnalyzerStatus, alerts: readonly AlertStatus[]): readonly SinkState[] {
    const ways = new Map(alerts.map((alert) => [alert.name, alert]))
    const states = deliveries
      .filter(({ sink }) => sink !== "page")
      .map(({ sink, counts }) => this.#state(sink, counts, ways.get(sink)))
    const delivered = new Set(deliveries.map(({ sink }) => sink))
    const apart = alerts
      .filter(({ name }) => !delivered.has(name))
      .map((alert) => this.#state(alert.name, { written: alert.published, failures: alert.errors, shed: alert.shed, waiting: alert.depth }, alert)) // prettier-ignore
    return [...states, ...apart]
  }

  #state(name: string, counts: DeliveryCounts, alert: AlertStatus | undefined): SinkState {
    const isFailing = this.#isFailing(name, counts)
    return {
      name,
      condition: alert === undefined ? deliveryCondition(name, counts, isFailing) : alertCondition(alert),
      written: alert?.published ?? counts.written,
      failures: counts.failures + (alert?.errors ?? 0),
      shed: counts.shed + (alert?.shed ?? 0),
      waiting: alert?.depth ?? counts.waiting,
      ...(alert && {
        outbox: { bytes: alert.bytes, limitBytes: alert.limitBytes, oldestSeconds: alert.oldestSeconds },
      }),
    }
  }

  /** A write failed, and none has succeeded since. */
  #isFailing(name: string, counts: DeliveryCounts): boolean {
    const before = this.#failing.get(name)
    if (counts.failures > (before?.failures ?? 0)) this.#failing.set(name, counts)
    const latest = this.#failing.get(name)
    return latest !== undefined && counts.written === latest.written && counts.failures > 0
  }
}

const ok: Condition = { state: "ok", text: "" }

function deliveryCondition(name: string, { waiting }: DeliveryCounts, isFailing: boolean): Condition {
  if (isFailing)
    return {
      state: "failing",
      text: `Writes fail, and are tried again; ${waiting} outputs wait. ${name === "store" ? "Collectors keep what they see until the store answers: look at the analyzer's log, and at the disk or the ClickHouse server." : "Look at the analyzer's log."}`,
    }
  if (waiting >= manyWaiting)
    return {
      state: "degraded",
      text: `${waiting} outputs wait. ${name === "store" ? "The store is slower than what comes in: look at its disk and load." : "What reads it is slow."}`,
    }
  return ok
}

function alertCondition({
  condition,
  depth,
  bytes,
  limitBytes,
  oldestSeconds,
  shed,
  torn,
  refused,
}: AlertStatus): Condition {
  const fill = `${Math.round((100 * bytes) / Math.max(1, limitBytes))} % of the outbox is full`
  const isNearlyFull = bytes >= limitBytes * fullShare
  const given = shed > 0 ? `${shed} alerts were given up, ` : ""
  if (condition.state === "stopped") return { state: "failing", text: condition.text }
  if (isNearlyFull)
    return {
      state: condition.state === "failing" || shed > 0 ? "failing" : "degraded",
      text: `${given}${depth} alerts wait and ${fill}. Bring the receiver back, or raise alerts.outbox_bytes. ${condition.text}`.trim(),
    }
  if (condition.state === "failing") return { state: "degraded", text: condition.text }
  if (oldestSeconds >= longWait)
    return {
      state: "degraded",
      text: `${depth} alerts wait, the oldest for ${Math.round(oldestSeconds)} s. See with backflow doctor whether the receiver is up.`,
    }
  if (refused > 0)
    return { state: "degraded", text: `${refused} alerts were refused for good. The analyzer's log says why.` }
  if (torn > 0) return { state: "degraded", text: `${torn} alerts were lost on disk. See whether the disk is sound.` }
  return ok
}
