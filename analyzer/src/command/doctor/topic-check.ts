import { plural } from "../../text/amounts.js"
import { degraded, failing, ok } from "./check.js"
import type { Outcome } from "./check.js"

/** What the topic is like. */
export interface TopicInfo {
  readonly partitions: number
  /** Of the partition with the fewest. */
  readonly replicas: number
  /** Partitions that have no leader, or fewer in-sync replicas than replicas. */
  readonly weak: number
  /** Replicas that must have an alert before it counts as written. */
  readonly minInSync: number
}

const remedies = {
  missing: "Create it: backflow topics ensure",
  weak: "Check the brokers.",
  unwritable: "Lower min.insync.replicas, or add replicas: no alert can be written.",
  oneCopy: "One broker's disk is enough to lose alerts: use 3 replicas and min.insync.replicas=2.",
} as const

/** Whether alerts can be written to the topic, and survive the loss of one broker where there are more. */
export function judgeTopic(name: string, brokers: number, topic: TopicInfo | undefined): Outcome {
  const cluster = plural(brokers, "broker")
  if (topic === undefined) return failing(`${cluster}, but no topic ${name}`, remedies.missing)
  const { partitions, replicas, weak, minInSync } = topic
  const text = `${cluster}; topic ${name}: ${plural(partitions, "partition")}, ${plural(replicas, "replica")}, min.insync.replicas=${minInSync}`
  if (weak > 0)
    return degraded(`${text}; ${plural(weak, "partition")} without a leader or an in-sync replica`, remedies.weak)
  if (minInSync > replicas) return failing(text, remedies.unwritable)
  if (brokers > 1 && (replicas < 2 || minInSync < 2)) return degraded(text, remedies.oneCopy)
  return ok(text)
}
