import kafkajs from "kafkajs"
import type { Admin } from "kafkajs"
import { kafkaClient } from "../../alerts/kafka/connection.js"
import type { KafkaConfig } from "../../config/load.js"
import { messageOf } from "../../errors.js"
import { plural } from "../../text/amounts.js"
import type { Log } from "../../telemetry/log.js"
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

const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
function nothing(): undefined {
  return undefined
}

const remedies = {
  unusable: "Check alerts.kafka, and that a broker is up; alerts wait in the outbox meanwhile.",
  missing: "Create it: backflow topics ensure",
  weak: "Check the brokers.",
  unwritable: "Lower min.insync.replicas, or add replicas: no alert can be written.",
  oneCopy: "One broker's disk is enough to lose alerts: use 3 replicas and min.insync.replicas=2.",
} as const

/** Whether the cluster is reachable and has the topic. An unreachable Kafka delays alerts and nothing else. */
export async function broker(config: KafkaConfig): Promise<Outcome> {
  const admin = kafkaClient(config, silent).admin()
  const where = config.brokers.join(", ")
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    const topic = await topicOf(admin, config.topic)
    return judgeTopic(config.topic, brokers.length, topic)
  } catch (thrown) {
    return failing(`the Kafka cluster at ${where} is not usable: ${messageOf(thrown)}`, remedies.unusable)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

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

async function topicOf(admin: Admin, name: string): Promise<TopicInfo | undefined> {
  if (!(await admin.listTopics()).includes(name)) return undefined
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
  const partitions = topics[0]?.partitions ?? []
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ["min.insync.replicas"] }],
  })
  const setting = resources[0]?.configEntries.find(({ configName }) => configName === "min.insync.replicas")
  return {
    partitions: partitions.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    weak: partitions.filter(({ leader, isr, replicas }) => leader < 0 || isr.length < replicas.length).length,
    minInSync: Number(setting?.configValue ?? 1),
  }
}
