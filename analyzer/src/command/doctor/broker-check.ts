import kafkajs from "kafkajs"
import type { Admin } from "kafkajs"
import { kafkaClient } from "../../alerts/kafka/connection.js"
import type { KafkaConfig } from "../../config/load.js"
import { messageOf } from "../../errors.js"
import type { Log } from "../../telemetry/log.js"
import { failing } from "./check.js"
import type { Outcome } from "./check.js"
import { judgeTopic } from "./topic-check.js"
import type { TopicInfo } from "./topic-check.js"

const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
function nothing(): undefined {
  return undefined
}

const remedy = "Check alerts.kafka, and that a broker is up; alerts wait in the outbox meanwhile."

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
    return failing(`the Kafka cluster at ${where} is not usable: ${messageOf(thrown)}`, remedy)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
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
