import kafkajs from "kafkajs"
import type { Kafka, Producer } from "kafkajs"
import type { Alert } from "../outbox/alert.js"
import type { AlertSink } from "../publish/alert-sink.js"
import type { Formatter } from "../formats/formatter.js"
import { kafkaFailure } from "./errors.js"

/** All replicas in sync have it. */
const allReplicas = -1
/** What the broker may take to have it on all of them, in milliseconds. */
const replicationMs = 10_000

/**
 * Alerts as messages of one Kafka topic: key = id of the finding, CloudEvents attributes as `ce_` headers. One request at
 * a time keeps the order of a key; kafkajs' idempotent producer does not outlive a lost broker, so repeats are left to
 * consumers, who tell them by `ce_source` and `ce_id`.
 */
export class KafkaSink implements AlertSink {
  readonly name = "kafka"
  /** One request, so that a few more cost next to no time. */
  readonly maxAlerts = 200
  readonly #producer: Producer
  readonly #topic: string
  readonly #format: Formatter
  #isConnected = false

  constructor(kafka: Kafka, topic: string, format: Formatter) {
    this.#topic = topic
    this.#format = format
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    this.#producer.on(this.#producer.events.DISCONNECT, () => {
      this.#isConnected = false
    })
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    try {
      if (!this.#isConnected) await this.#producer.connect()
      this.#isConnected = true
      await this.#producer.sendBatch({
        acks: allReplicas,
        timeout: replicationMs,
        compression: kafkajs.CompressionTypes.GZIP,
        topicMessages: [{ topic: this.#topic, messages: alerts.map((alert) => this.#message(alert)) }],
      })
    } catch (thrown) {
      throw kafkaFailure(thrown, this.#topic)
    }
  }

  close(): Promise<void> {
    return this.#producer.disconnect()
  }

  #message(alert: Alert) {
    const { key, attributes, body } = this.#format(alert)
    const headers: Record<string, string> = { "content-type": "application/json" }
    for (const [name, value] of Object.entries(attributes)) headers[`ce_${name}`] = value
    return { key, value: body, headers }
  }
}
