import kafkajs from "kafkajs"
import type { Admin } from "kafkajs"
import { kafkaClient } from "../../alerts/kafka/connection.js"
import type { KafkaConfig } from "../../config/load.js"
import { messageOf } from "../../errors.js"
import type { Log } from "../../telemetry/log.js"
import { degraded, failing, ok } from "./check.js"
import type { Outcome } from "./check.js"

/** What the topic is like. */
export interface TopicInfo {
  readonly partitions: number
  /** Of the partition with the fewest. */
  readonly replicas: number
  /** Partitions that have no leader, or fewer copies in step than they should have. */
  readonly weak: number
  /** How many copies must have an alert before it counts as taken. */
  readonly minInSync: number
}

const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
function nothing(): undefined {
  return undefined
}

/** Whether the cluster is there and has the topic. Kafka away delays alerts and nothing else. */
export async function broker(config: KafkaConfig): Promise<Outcome> {
  const admin = kafkaClient(config, silent).admin()
  const where = config.brokers.join(", ")
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    const topic = await topicOf(admin, config.topic)
    return judgeTopic(config.topic, brokers.length, topic)
  } catch (thrown) {
    return failing(`the Kafka cluster at ${where} cannot be used: ${messageOf(thrown)}`, "Check alerts.kafka, and that a broker is up; alerts wait in the outbox meanwhile.") // prettier-ignore
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

export function judgeTopic(name: string, brokers: number, topic: TopicInfo | undefined): Outcome {
  const cluster = `${brokers} ${brokers === 1 ? "broker" : "brokers"}`
  if (topic === undefined) return failing(`${cluster}, but no topic ${name}`, "Make it: backflow topics ensure")
  const { partitions, replicas, weak, minInSync } = topic
  const text = `${cluster}; topic ${name} has ${partitions} partitions, ${replicas} copies, of which ${minInSync} must take an alert` // prettier-ignore
  if (weak > 0)
    return degraded(`${text}; ${weak} partitions lack a leader or a copy in step`, "See what the brokers say.")
  if (minInSync > replicas) return failing(text, "Lower min.insync.replicas, or add copies: no alert can be taken as it is.") // prettier-ignore
  if (brokers > 1 && (replicas < 2 || minInSync < 2)) return degraded(text, "One broker's disk is enough to lose alerts: use 3 copies and min.insync.replicas=2.") // prettier-ignore
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
