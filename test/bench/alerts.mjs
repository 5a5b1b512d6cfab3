/**
 * Alerts through the outbox to a real Kafka broker: how many a second, how long each takes, and how old the oldest gets
 * while the broker is away and after it is back. Run after a build: node test/bench/alerts.mjs [seconds away]
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { runnerImport } from "vite"
import { startAlerts } from "@backflow/analyzer/alerts/start"
import { topicsCommand } from "@backflow/analyzer/command/topics"
import { anOutput } from "@backflow/analyzer/testing/outputs"
import { aFinding, idOf } from "@backflow/analyzer/testing/findings"

const load = async (name) => (await runnerImport(new URL(`../kafka/${name}`, import.meta.url).pathname)).module
const { Broker } = await load("broker.ts")
const { brokerJars } = await load("jars.ts")
const { consume } = await load("consume.ts")

const awaySeconds = Number(process.argv[2] ?? 20)
const jars = brokerJars()
if ("missing" in jars) {
  console.error(`cannot run: ${jars.missing}`)
  process.exit(1)
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const state = mkdtempSync(join(tmpdir(), "backflow-bench-"))
const broker = await Broker.start(jars.classPath)
const rows = []
const row = (what, value) => {
  rows.push([what, value])
  console.log(`${what.padEnd(62)} ${value}`)
}
let next = 0
/** New findings, one version each: about 1.4 kB in the outbox. */
const outputs = (count) =>
  Array.from({ length: count }, () => {
    next += 1
    const id = idOf(next)
    return anOutput(next, { connections: [], findings: [aFinding({ id })] })
  })
const configOf = (topic) => ({
  severity: "medium",
  perIdentityPerMinute: 0,
  source: "/backflow/bench",
  outboxBytes: 256 * 1024 * 1024,
  kafka: { brokers: [broker.plain], topic, format: "ocsf", clientId: "bench", tls: undefined, sasl: undefined },
  webhook: undefined,
  file: undefined,
})
const start = (topic) =>
  startAlerts(configOf(topic), { state: join(state, topic), log: silent, nowMs: Date.now, version: "0.0.0" })
const ensure = (topic) =>
  topicsCommand(
    {
      command: { name: "topics" },
      operands: ["ensure"],
      values: { partitions: "6", replication: "1", "min-insync": "1" },
      switches: new Set(),
    },
    { alerts: configOf(topic) },
    { out() {}, note: console.error },
  )
const drained = async (alerts) => {
  while (alerts.status()[0].depth > 0) await delay(5)
}
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]

try {
  for (const topic of ["rate", "age"]) await ensure(topic)

  const rate = await start("rate")
  await rate.queues[0].write(outputs(1))
  await drained(rate)
  for (const size of [1, 10, 100]) {
    const batches = Array.from({ length: 2_000 / size }, () => outputs(size))
    const before = performance.now()
    for (const batch of batches) await rate.queues[0].write(batch)
    row(`durable in the outbox, ${size} a write, alerts/s`, Math.round(2_000 / ((performance.now() - before) / 1_000)))
  }
  await drained(rate)
  const many = Array.from({ length: 200 }, () => outputs(100))
  const before = performance.now()
  for (const batch of many) await rate.queues[0].write(batch)
  await drained(rate)
  row(
    "through the outbox to the broker, acks all, gzip, alerts/s",
    Math.round(20_000 / ((performance.now() - before) / 1_000)),
  )
  await rate.stop(5_000)

  const alerts = await start("age")
  const written = new Map()
  const latencies = []
  const { messages, stop } = await consume(broker.plain, "age")
  let seen = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      for (; seen < messages.length; seen++) latencies.push(performance.now() - written.get(messages[seen].key))
      await delay(1)
    }
  })()
  let slowest = 0
  const streaming = (async () => {
    while (!isOver) {
      const [output] = outputs(1)
      const at = performance.now()
      written.set(output.findings[0].id, at)
      await alerts.queues[0].write([output])
      slowest = Math.max(slowest, performance.now() - at)
      await delay(20)
    }
  })()
  const oldest = () => alerts.status()[0].oldestSeconds
  await delay(1_000)
  latencies.length = 0
  await delay(5_000)
  const steady = [...latencies].sort((a, b) => a - b)
  row(
    `written to consumed, about 45 alerts/s, median and p99, ms (n=${steady.length})`,
    `${quantile(steady, 0.5).toFixed(1)} ${quantile(steady, 0.99).toFixed(1)}`,
  )
  slowest = 0
  await broker.kill()
  const killed = performance.now()
  await delay(awaySeconds * 1_000)
  row(
    `oldest after ${awaySeconds} s without a broker, s; waiting; bytes`,
    `${oldest().toFixed(1)} ${alerts.status()[0].depth} ${alerts.status()[0].bytes}`,
  )
  await broker.start()
  const ready = performance.now()
  row("broker away in all, s", ((ready - killed) / 1_000).toFixed(1))
  let maxOldest = oldest()
  while (oldest() > 1) {
    maxOldest = Math.max(maxOldest, oldest())
    await delay(10)
  }
  row("oldest at most, s", maxOldest.toFixed(1))
  row("oldest under 1 s again after the broker was ready, s", ((performance.now() - ready) / 1_000).toFixed(1))
  row("slowest write to the outbox meanwhile, ms", slowest.toFixed(1))
  isOver = true
  await streaming
  await watching
  row(
    "given up",
    Object.values(alerts.status()[0].shed).reduce((sum, count) => sum + count, 0),
  )
  await alerts.stop(5_000)
  await stop()
} finally {
  await broker.remove()
  rmSync(state, { recursive: true, force: true })
}
// kafkajs keeps a socket and timers after its broker was killed.
process.exit(0)
