import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { batchOf } from "@backflow/analyzer/testing/alert-writer"
import { backflow } from "../lab/executables.js"
import { Broker } from "./broker.js"
import { aFolder } from "@backflow/analyzer/testing/folder"
import { configOf, ensure, oneNode, runAlerts, until } from "./setup.js"
import { consume } from "./consume.js"
import { brokerJars } from "./jars.js"

const environment = { PATH: process.env["PATH"] }
const jars = brokerJars()
if ("missing" in jars) process.stderr.write(`skipped: no Kafka broker for tests: ${jars.missing}\n`)

/** Starts `backflow analyzer`; resolves when it is ready. */
async function analyzer(state: string, kafka: string, topic: string): Promise<ChildProcess> {
  const words = ["--state", state, "--listen", `unix:${join(state, "socket")}`, "--page", "off", "--kafka", kafka]
  const child = spawn(process.execPath, [backflow, "analyzer", ...words], {
    env: { ...environment, BACKFLOW_ALERTS_KAFKA_TOPIC: topic },
    stdio: ["ignore", "pipe", "inherit"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let output = ""
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      if (output.startsWith("ready")) resolve()
    })
    child.once("exit", () => reject(new Error(`the analyzer ended: ${output}`)))
  })
  return child
}

describe.skipIf("missing" in jars)("the analyzer as a process, with a real broker", () => {
  let broker: Broker

  beforeAll(async () => {
    broker = await Broker.start("classPath" in jars ? jars.classPath : "")
  }, 90_000)

  afterAll(async () => {
    await broker.remove()
  }, 30_000)

  it(
    "sends what an earlier run left, and ends in order although the broker has crashed",
    { timeout: 60_000 },
    async () => {
      const topic = "leftovers"
      const away = configOf(aFolder(), { brokers: ["127.0.0.1:1"], topic })
      const alerts = await runAlerts(away.alerts, away.state)
      await alerts.queues[0]?.write([batchOf(1), batchOf(2)])
      expect(await alerts.stop(0)).toBe(false)
      expect(await ensure(configOf(aFolder(), { brokers: [broker.plain], topic }), oneNode)).toMatchObject({ code: 0 })
      const { messages, stop } = await consume(broker.plain, topic)
      const child = await analyzer(away.state, broker.plain, topic)
      await until("what was left arrives", () => messages.length >= 2)
      await stop()
      await broker.kill()
      const ended = once(child, "exit")
      child.kill("SIGTERM")
      expect((await ended)[0]).toBe(0)
      await broker.start()
    },
  )

  it("and the doctor says how the cluster and its topic stand", { timeout: 60_000 }, async () => {
    const doctor = (kafka: string) => {
      const words = ["doctor", "--state", aFolder(), "--kafka", kafka, "--json"]
      const { stdout } = spawnSync(process.execPath, [backflow, ...words], { encoding: "utf8", env: environment })
      return (
        JSON.parse(stdout) as { checks: { what: string; state: string; text: string; remedy: string }[] }
      ).checks.find(({ what }) => what === "broker")
    }
    expect(doctor(broker.plain)).toMatchObject({ state: "failing", remedy: "Create it: backflow topics ensure" })
    await ensure(configOf(aFolder(), { brokers: [broker.plain] }), oneNode)
    expect(doctor(broker.plain)).toMatchObject({
      state: "ok",
      text: expect.stringContaining("1 broker; topic backflow.findings.v1: 3 partitions") as string,
    })
    expect(doctor("127.0.0.1:1")).toMatchObject({
      state: "failing",
      text: expect.stringContaining("127.0.0.1:1") as string,
    })
  })
})
