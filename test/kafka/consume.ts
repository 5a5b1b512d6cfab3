import kafkajs from "kafkajs"

/** A message as a consumer gets it. */
export interface ConsumedMessage {
  readonly partition: number
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: string
}

/** Reads a topic from its beginning. Whoever calls this calls `stop`. */
export async function consume(
  broker: string,
  topic: string,
): Promise<{ readonly messages: readonly ConsumedMessage[]; readonly stop: () => Promise<void> }> {
  const kafka = new kafkajs.Kafka({
    brokers: [broker],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 500 },
  })
  const messages: ConsumedMessage[] = []
  const consumer = kafka.consumer({ groupId: `test-${topic}-${process.pid}-${performance.now()}`, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: ({ partition, message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])
      messages.push({
        partition,
        key: String(message.key),
        headers: Object.fromEntries(headers) as Record<string, string>,
        value: String(message.value),
      })
      return Promise.resolve()
    },
  })
  return { messages, stop: () => consumer.disconnect() }
}

/** One message as a person sees it: key, headers, and the value as indented JSON. */
export function asText({ key, headers, value }: ConsumedMessage): string {
  const width = Math.max(...Object.keys(headers).map((name) => name.length), 3)
  const lines = [["key", key], ...Object.entries(headers)].map(
    ([name = "", text = ""]) => `${name.padEnd(width)}  ${text}`,
  )
  return `${lines.join("\n")}\n\n${JSON.stringify(JSON.parse(value), undefined, 2)}\n`
}

/** What is left of messages for a consumer that tells repeats by (ce_source, ce_id): ids in the order of arrival, by key. */
export function withoutRepeats(messages: readonly ConsumedMessage[]): ReadonlyMap<string, readonly string[]> {
  const seen = new Set<string>()
  const byKey = new Map<string, string[]>()
  for (const { key, headers } of messages) {
    const identity = `${headers["ce_source"] ?? ""} ${headers["ce_id"] ?? ""}`
    if (seen.has(identity)) continue
    seen.add(identity)
    byKey.set(key, [...(byKey.get(key) ?? []), headers["ce_id"] ?? ""])
  }
  return byKey
}
