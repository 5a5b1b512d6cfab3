/**
 * How long a first HIGH takes to a webhook behind many mediums of one identity, at a receiver that takes its time for each
 * alert. Run after a build: node test/bench/alert-lanes.mjs [mediums] [milliseconds of the receiver]
 */
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { startAlerts } from "@backflow/analyzer/alerts/start"
import { aFinding, idOf } from "@backflow/analyzer/testing/findings"
import { outputOf } from "@backflow/analyzer/testing/outputs"

const mediums = Number(process.argv[2] ?? 3_000)
const responseMs = Number(process.argv[3] ?? 200)
const silent = { debug() {}, info() {}, warn() {}, error() {} }

const received = []
const server = createServer((request, response) => {
  received.push({ id: request.headers["ce-partitionkey"], atMs: performance.now() })
  request.resume()
  setTimeout(() => response.writeHead(204).end(), responseMs)
})
server.listen(0, "127.0.0.1")
await once(server, "listening")

for (const perIdentityPerMinute of [0, 10]) {
  const state = mkdtempSync(join(tmpdir(), "backflow-bench-"))
  received.length = 0
  const webhook = { url: `http://127.0.0.1:${server.address().port}/`, format: "finding" }
  const config = { severity: "medium", source: "/bench", outboxBytes: 256 * 1024 * 1024, perIdentityPerMinute, webhook }
  const alerts = await startAlerts(config, { state, log: silent, nowMs: Date.now, version: "0.0.0" })
  const [queue] = alerts.queues
  for (let n = 0; n < mediums; n += 100) {
    const findings = Array.from({ length: 100 }, (_, i) => aFinding({ id: idOf(n + i), severity: "medium" }))
    await queue.write([outputOf(...findings)])
  }
  await delay(3 * responseMs)
  const [{ depth }] = alerts.status()
  const before = received.length
  const startMs = performance.now()
  await queue.write([outputOf(aFinding({ id: idOf(999_999), severity: "high" }))])
  while (!received.some(({ id }) => id === idOf(999_999))) await delay(1)
  const index = received.findIndex(({ id }) => id === idOf(999_999))
  const seconds = (received[index].atMs - startMs) / 1_000
  console.log(
    `limit ${perIdentityPerMinute}: ${depth} waited; the first HIGH was received ${seconds.toFixed(2)} s after it was written, ${index - before} others between`,
  )
  await alerts.stop(0)
  rmSync(state, { recursive: true, force: true })
}
server.closeAllConnections()
server.close()
process.exit(0)
