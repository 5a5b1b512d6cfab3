import { once } from "node:events"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { loadConfig } from "../config/load.js"
import type { AlertsConfig } from "../config/load.js"
import { startAlerts } from "./start.js"
import { idOf, aFinding } from "../testing/findings.js"
import { aFolder } from "../testing/folder.js"
import { aLog } from "../testing/log.js"
import { outputOf } from "../testing/outputs.js"
import { startMs } from "../testing/time.js"
import { until } from "../testing/until.js"

function configOf(alerts: object): AlertsConfig {
  const file = join(aFolder(), "backflow.yaml")
  writeFileSync(file, JSON.stringify({ alerts }))
  return loadConfig({ file, environment: {} }).alerts
}

async function start(alerts: object, state = aFolder()) {
  const started = await startAlerts(configOf(alerts), { state, log: aLog(), nowMs: () => startMs, version: "0.0.0" })
  onTestFinished(async () => {
    await started.stop(0)
  })
  return started
}

/** A receiver that takes its time for each alert; ids of findings in the order in which they came. */
async function slowReceiver(responseMs: number) {
  const ids: string[] = []
  const server = createServer((request, response) => {
    ids.push(String(request.headers["ce-partitionkey"]))
    request.resume()
    setTimeout(() => response.writeHead(204).end(), responseMs)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ids }
}

describe("a grave alert", () => {
  it("overtakes all that wait before it, at a receiver that takes 0.2 s for each", async () => {
    const receiver = await slowReceiver(200)
    const alerts = await start({ per_identity_per_minute: 0, webhook: { url: receiver.url } })
    const medium = Array.from({ length: 3_000 }, (_, n) => aFinding({ id: idOf(n), severity: "medium" }))
    await alerts.queues[0]?.write([outputOf(...medium)])
    await until("some have left", () => receiver.ids.length > 0)
    const grave = idOf(9_999)
    await alerts.queues[0]?.write([outputOf(aFinding({ id: grave, severity: "high" }))])
    const before = receiver.ids.length
    await until("it has left", () => receiver.ids.includes(grave))
    // What was under way, and at most one send that was about to be.
    expect(receiver.ids.indexOf(grave)).toBeLessThan(before + 16)
    expect(alerts.status()[0]?.depth).toBeGreaterThan(2_900)
  })
})

describe("alerts", () => {
  it("are nothing without a destination", async () => {
    const alerts = await start({})
    expect(alerts.queues).toEqual([])
    expect(alerts.status()).toEqual([])
    expect(await alerts.stop(1)).toBe(true)
  })

  it("go to every destination, and one that is away does not hold another", async () => {
    const path = join(aFolder(), "alerts.jsonl")
    const alerts = await start({ file: { path }, webhook: { url: "http://127.0.0.1:1/" } })
    const outputs = [outputOf(aFinding(), aFinding({ id: idOf(2), severity: "low" }))]
    await Promise.all(alerts.queues.map((queue) => queue.write(outputs)))
    await until("the file has it", () =>
      alerts.status().some(({ name, published }) => name === "file" && published === 1),
    )
    await until("the webhook failed", () =>
      alerts.status().some(({ name, errors }) => name === "webhook" && errors > 0),
    )
    const [webhook, file] = alerts.status()
    expect(webhook).toMatchObject({
      name: "webhook",
      condition: { state: "failing" },
      depth: 1,
      published: 0,
      shed: { high: 0 },
    })
    expect(file).toMatchObject({ name: "file", condition: { state: "ok" }, depth: 0, oldestSeconds: 0 })
    expect(readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(1)
    expect(await alerts.stop(10)).toBe(false)
  })

  it("that a run could not send leave in the next", async () => {
    const state = aFolder()
    const path = join(aFolder(), "later", "alerts.jsonl")
    const first = await start({ file: { path } }, state)
    await first.queues[0]?.write([outputOf(aFinding())])
    expect(await first.stop(20)).toBe(false)
    mkdirSync(join(path, ".."))
    const second = await start({ file: { path } }, state)
    await until("it is written", () => second.status()[0]?.published === 1)
  })

  it("name the setting whose file cannot be read", async () => {
    const webhook = { url: "https://127.0.0.1:1/", token_file: "/nowhere/token" }
    await expect(start({ webhook })).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("alerts.webhook.token_file cannot be read") as string,
    })
  })
})
