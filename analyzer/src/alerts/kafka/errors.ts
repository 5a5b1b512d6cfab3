import { messageOf } from "../../errors.js"
import { AlertSinkError, AlertsRefused } from "../publish/alert-sink.js"

const signInRefused = "the broker refused the user name or password: see alerts.kafka.sasl and its password_file"

/** Types of the Kafka protocol (kafka.apache.org/protocol, error codes), as text with what to do. */
const texts: Readonly<Record<string, (topic: string) => string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: (topic) =>
    `the topic ${topic} does not exist, or this user may not see it: backflow topics ensure`,
  TOPIC_AUTHORIZATION_FAILED: (topic) => `the broker denies this user writing to ${topic}: grant WRITE and DESCRIBE`,
  CLUSTER_AUTHORIZATION_FAILED: () => "the broker denies this user that operation: grant it on the cluster",
  NOT_ENOUGH_REPLICAS: (topic) => `fewer replicas of ${topic} are in sync than its min.insync.replicas`,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: (topic) => `fewer replicas of ${topic} are in sync than its min.insync.replicas`,
  SASL_AUTHENTICATION_FAILED: () => signInRefused,
  UNSUPPORTED_SASL_MECHANISM: () => "the broker does not offer alerts.kafka.sasl.mechanism: it names what it offers",
  ILLEGAL_SASL_STATE: () => "the broker wants another SASL mechanism: see alerts.kafka.sasl",
  KAFKA_STORAGE_ERROR: () => "the broker cannot write to its disk",
}

const tooLarge = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD"])

interface KafkaFailure {
  readonly name?: string
  readonly type?: string
  readonly code?: string
  readonly cause?: unknown
  readonly originalError?: unknown
  readonly errors?: readonly unknown[]
}

/** What kafkajs rejected with, as AlertsRefused when a retry is no use, or as AlertSinkError with a text for people. */
export function kafkaFailure(thrown: unknown, topic: string): AlertsRefused | AlertSinkError {
  const chain = causesOf(thrown)
  const typed = chain.find(({ type }) => type !== undefined && type !== "")
  if (typed?.type !== undefined && tooLarge.has(typed.type)) {
    return new AlertsRefused(`larger than ${topic} takes (max.message.bytes): ${messageOf(typed)}`)
  }
  return new AlertSinkError(textFor(chain, typed?.type, topic) ?? messageOf(chain.at(-1) ?? thrown))
}

function textFor(chain: readonly KafkaFailure[], type: string | undefined, topic: string): string | undefined {
  if (chain.some(({ name }) => name === "KafkaJSSASLAuthenticationError")) {
    const reason = messageOf(chain.find(({ name }) => name === "KafkaJSSASLAuthenticationError"))
    return /not supported/i.test(reason) ? `${reason}: see alerts.kafka.sasl.mechanism` : signInRefused
  }
  const known = type === undefined ? undefined : texts[type]
  if (known !== undefined) return known(topic)
  const names = chain.map(({ name }) => name)
  if (names.some((name) => name === "KafkaJSTopicMetadataNotLoaded" || name === "KafkaJSMetadataNotLoaded")) {
    return texts["UNKNOWN_TOPIC_OR_PARTITION"]?.(topic)
  }
  if (names.includes("KafkaJSRequestTimeoutError")) return "the broker did not respond: timeout"
  if (names.some((name) => name?.startsWith("KafkaJSConnection") ?? false)) return unreachable(chain)
  if (names.includes("KafkaJSBrokerNotFound")) return "no broker is reachable"
  return undefined
}

function unreachable(chain: readonly KafkaFailure[]): string {
  const reason = messageOf(chain.find(({ name }) => name?.startsWith("KafkaJSConnection") ?? false))
  if (/certificate|self.signed|issuer|altname/i.test(reason)) {
    return `the broker's certificate is not trusted: ${reason}: see alerts.kafka.tls.ca_file`
  }
  return `no broker is reachable: ${reason}`
}

/** The error and what it was caused by, outermost first. kafkajs wraps, and AggregateError holds several. */
function causesOf(thrown: unknown): readonly KafkaFailure[] {
  const chain: KafkaFailure[] = []
  for (let next = thrown; typeof next === "object" && next !== null && chain.length < 8;) {
    const failure = next as KafkaFailure
    chain.push(failure)
    next = failure.cause ?? failure.originalError ?? failure.errors?.[0]
  }
  return chain
}
