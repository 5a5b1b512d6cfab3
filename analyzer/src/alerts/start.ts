import { join } from "node:path"
import { messageOf } from "../errors.js"
import { fileOf, secretOf } from "../config/secrets.js"
import type { AlertFormat, AlertsConfig } from "../config/load.js"
import type { Log } from "../telemetry/log.js"
import type { AlertStatus } from "../telemetry/status.js"
import { AlertQueue } from "./outbox/alert-queue.js"
import type { AlertSink } from "./publish/alert-sink.js"
import { FileSink } from "./file/sink.js"
import { formatter } from "./formats/formatter.js"
import { kafkaClient } from "./kafka/connection.js"
import { KafkaSink } from "./kafka/sink.js"
import { Publisher } from "./publish/publisher.js"
import { WebhookSink } from "./webhook/sink.js"

/** How often minutes that are over by the clock are looked for, in milliseconds. */
const sumMs = 10_000

/** What a webhook may take for its whole response. */
const webhookResponseMs = 10_000

export interface AlertsPorts {
  /** The state folder; outboxes are under `outbox/` in it. */
  readonly state: string
  readonly log: Log
  readonly nowMs: () => number
  /** Of this release. */
  readonly version: string
}

export interface Alerts {
  /** Of each configured destination: make alerts durable, before the store does. */
  readonly queues: readonly Pick<AlertQueue, "write">[]
  status(): readonly AlertStatus[]
  /** True when every alert has left; what has not stays on disk for the next start. */
  stop(graceMs: number): Promise<boolean>
}

/**
 * Opens the outbox of every configured destination and begins to send. No destination needs to be there. Rejects with
 * AppError "config" when a file of the configuration cannot be read, and with the system's error when an outbox cannot be
 * opened.
 */
export async function startAlerts(config: AlertsConfig, ports: AlertsPorts): Promise<Alerts> {
  const { log, nowMs } = ports
  const started: { readonly queue: AlertQueue; readonly publisher: Publisher }[] = []
  for (const sink of destinations(config, ports)) {
    const folder = join(ports.state, "outbox", sink.name)
    const queue = await AlertQueue.open({
      folder,
      limitBytes: config.outboxBytes,
      minSeverity: config.severity,
      perIdentityPerMinute: config.perIdentityPerMinute,
      nowMs,
      log,
    })
    started.push({ queue, publisher: new Publisher(queue, sink, log) })
  }
  const summing = setInterval(() => {
    for (const { queue } of started)
      queue.sum().catch((thrown: unknown) => log.warn({ error: messageOf(thrown) }, "writing alerts failed, retrying"))
  }, sumMs).unref()
  return {
    queues: started.map(({ queue }) => queue),
    status: () => started.map(({ queue, publisher }) => statusOf(queue, publisher, nowMs())),
    stop: async (graceMs) => {
      clearInterval(summing)
      await Promise.allSettled(started.map(({ queue }) => queue.retire()))
      const results = await Promise.all(started.map(({ publisher }) => publisher.stop(graceMs)))
      await Promise.all(started.map(({ queue }) => queue.close()))
      return results.every(Boolean)
    },
  }
}

function destinations({ source, kafka, webhook, file }: AlertsConfig, { log, version }: AlertsPorts): AlertSink[] {
  const format = (name: AlertFormat) => formatter(name, source, version)
  return [
    ...(kafka ? [new KafkaSink(kafkaClient(kafka, log), kafka.topic, format(kafka.format))] : []),
    ...(webhook
      ? [
          new WebhookSink(
            {
              url: webhook.url,
              token: webhook.tokenFile && secretOf("alerts.webhook.token_file", webhook.tokenFile),
              responseMs: webhookResponseMs,
              authority: webhook.caFile === undefined ? undefined : fileOf("alerts.webhook.ca_file", webhook.caFile),
            },
            format(webhook.format),
          ),
        ]
      : []),
    ...(file ? [new FileSink(file.path, format(file.format))] : []),
  ]
}

function statusOf(queue: AlertQueue, publisher: Publisher, nowMs: number): AlertStatus {
  const { oldestMs, ...counts } = queue.counts
  const { name, published, errors, condition } = publisher
  const oldestSeconds = oldestMs === undefined ? 0 : Math.max(0, (nowMs - oldestMs) / 1_000)
  return { name, condition, published, errors, ...counts, oldestSeconds }
}
