import kafkajs from "kafkajs"
import type { Kafka, KafkaConfig as ClientConfig, LogEntry, logCreator, SASLOptions } from "kafkajs"
import type { KafkaConfig } from "../../config/load.js"
import { fileOf, secretOf } from "../../config/secrets.js"
import type { Log } from "../../telemetry/log.js"

/** In milliseconds. A broker that is stopped in the middle of a request must not hold up alerts for long. */
const connectionMs = 5_000
const authenticationMs = 10_000
const requestMs = 10_000

/**
 * A client of the configured cluster. Reads the files that the settings name; throws AppError "config" naming the setting
 * when one cannot be read. kafkajs retries little by itself: the publisher does, for ever.
 */
export function kafkaClient(config: KafkaConfig, log: Log): Kafka {
  const options: ClientConfig = {
    clientId: config.clientId,
    brokers: [...config.brokers],
    connectionTimeout: connectionMs,
    authenticationTimeout: authenticationMs,
    requestTimeout: requestMs,
    enforceRequestTimeout: true,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: bridge(log),
    ...(config.tls && { ssl: tlsOf(config.tls) }),
    ...(config.sasl && { sasl: saslOf(config.sasl) }),
  }
  return new kafkajs.Kafka(options)
}

function tlsOf({ caFile, certFile, keyFile }: NonNullable<KafkaConfig["tls"]>) {
  return {
    ...(caFile !== undefined && { ca: fileOf("alerts.kafka.tls.ca_file", caFile) }),
    ...(certFile !== undefined && { cert: fileOf("alerts.kafka.tls.cert_file", certFile) }),
    ...(keyFile !== undefined && { key: fileOf("alerts.kafka.tls.key_file", keyFile) }),
  }
}

function saslOf({ mechanism, username, passwordFile }: NonNullable<KafkaConfig["sasl"]>): SASLOptions {
  const password = secretOf("alerts.kafka.sasl.password_file", passwordFile)
  return { mechanism, username, password }
}

/** kafkajs retries by itself and logs each time: all of it is detail beside the publisher's one message. */
function bridge(log: Log): logCreator {
  return () =>
    ({ namespace, log: { message, error, broker } }: LogEntry) => {
      log.debug({ kafka: namespace, broker: broker as unknown, error: error as unknown }, message.toLowerCase())
    }
}
