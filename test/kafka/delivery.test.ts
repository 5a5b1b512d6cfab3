import { execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { batchOf } from "@backflow/analyzer/testing/alert-writer"
import type { WriterTask } from "@backflow/analyzer/testing/alert-writer"
import { anOutput } from "@backflow/analyzer/testing/outputs"
import type { Config } from "@backflow/analyzer/config/load"
import { Broker } from "./broker.js"
import { aFolder } from "@backflow/analyzer/testing/folder"
import { configOf, ensure, oneNode, runAlerts, source, until } from "./setup.js"
import { consume, withoutRepeats } from "./consume.js"
import type { ConsumedMessage } from "./consume.js"
import { brokerJars } from "./jars.js"
import { aFinding } from "@backflow/analyzer/testing/findings"

const jars = brokerJars()
if ("missing" in jars) process.stderr.write(`skipped: no Kafka broker for tests: ${jars.missing}\n`)
const writer = fileURLToPath(new URL("../../analyzer/dist/testing/alert-writer.js", import.meta.url))

const noneShed = { info: 0, low: 0, medium: 0, high: 0, critical: 0 }

describe.skipIf("missing" in jars)("alerts on a real broker", () => {
  let broker: Broker

  beforeAll(async () => {
    broker = await Broker.start("classPath" in jars ? jars.classPath : "")
  }, 90_000)

  afterAll(async () => {
    await broker.remove()
  }, 30_000)

  /** A topic of its own for each test, and what a consumer gets from it. */
  async function prepare(
    topic: string,
    alerts: object = {},
  ): Promise<{ config: Config; messages: readonly ConsumedMessage[] }> {
    const config = configOf(aFolder(), { brokers: [broker.plain], topic }, alerts)
    expect(await ensure(config, oneNode)).toMatchObject({ code: 0 })
    const { messages, stop } = await consume(broker.plain, topic)
    onTestFinished(stop)
    return { config, messages }
  }

  /** Every version of the batches 1 to `last` arrived, and in order for a consumer that tells repeats. */
  function expectComplete(messages: readonly ConsumedMessage[], last: number): void {
    const expected = new Map<string, string[]>()
    for (let n = 1; n <= last; n++) {
      for (const { id, version } of batchOf(n).findings)
        expected.set(id, [...(expected.get(id) ?? []), `${id}:${version}`])
    }
    expect(Object.fromEntries(withoutRepeats(messages))).toEqual(Object.fromEntries(expected))
  }

  const arrivedCount = (messages: readonly ConsumedMessage[]) =>
    new Set(messages.map(({ headers }) => headers["ce_id"])).size

  it("arrive while it is killed, restarted and stands still, each version, in order", { timeout: 60_000 }, async () => {
    const last = 1_800
    const { config, messages } = await prepare("outages")
    const alerts = await runAlerts(config.alerts, config.state)
    let written = 0
    const stream = (async () => {
      for (let n = 1; n <= last; n++) {
        await alerts.queues[0]?.write([batchOf(n)])
        written = n
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    })()
    await until("the stream is under way", () => arrivedCount(messages) > 100)
    await broker.kill()
    const killedAt = written
    await until("the outbox fills", () => (alerts.status()[0]?.depth ?? 0) > 200)
    expect(alerts.status()[0]?.condition).toMatchObject({
      state: "failing",
      text: expect.stringContaining("no broker") as string,
    })
    await broker.start()
    await until("what waited arrives", () => arrivedCount(messages) > killedAt + 200)
    broker.signal("SIGSTOP")
    await until("the outbox fills again", () => (alerts.status()[0]?.depth ?? 0) > 100 || written === last)
    broker.signal("SIGCONT")
    await stream
    await until("everything has arrived", () => arrivedCount(messages) === last)
    expectComplete(messages, last)
    expect(await alerts.stop(10_000)).toBe(true)
    expect(alerts.status()[0]).toMatchObject({ shed: noneShed, refused: 0, depth: 0 })
  })

  it(
    "of an hour, ten a second, wait while no broker is there, and leave when it is back",
    { timeout: 120_000 },
    async () => {
      const [writes, together] = [360, 100]
      const { config, messages } = await prepare("an-hour")
      await broker.kill()
      const alerts = await runAlerts(config.alerts, config.state)
      for (let write = 0; write < writes; write++) {
        // Resolves without a broker: nothing of the store's waits for one.
        await alerts.queues[0]?.write(Array.from({ length: together }, (_, i) => batchOf(write * together + i + 1)))
      }
      const [counts] = alerts.status()
      expect(counts).toMatchObject({ depth: writes * together, shed: noneShed, condition: { state: "failing" } })
      expect(counts?.bytes).toBeLessThan(counts?.limitBytes ?? 0)
      await broker.start()
      await until("the hour has arrived", () => arrivedCount(messages) === writes * together, 90_000)
      expectComplete(messages, writes * together)
    },
  )

  it("arrive although the analyzer is killed again and again", { timeout: 60_000 }, async () => {
    const last = 900
    const { config, messages } = await prepare("kills")
    let durable = 0
    const run = async (killAfter: number): Promise<NodeJS.Signals | number | null> => {
      // A collector whose acknowledgements were lost sends up to three batches again.
      const task: WriterTask = {
        state: config.state,
        alerts: config.alerts,
        first: Math.max(1, durable - 2),
        last,
        pauseMs: 1,
      }
      const child = spawn(process.execPath, [writer, JSON.stringify(task)], { stdio: ["ignore", "pipe", "inherit"] })
      onTestFinished(() => void child.kill("SIGKILL"))
      let count = 0
      createInterface({ input: child.stdout }).on("line", (line) => {
        durable = Math.max(durable, Number(line))
        count += 1
        if (count === killAfter) child.kill("SIGKILL")
      })
      await once(child, "close")
      return child.signalCode ?? child.exitCode
    }
    for (const killAfter of [1, 150, 3, 200]) expect(await run(killAfter)).toBe("SIGKILL")
    expect(await run(Number.POSITIVE_INFINITY)).toBe(0)
    await until("everything has arrived", () => arrivedCount(messages) === last)
    expectComplete(messages, last)
    const kinds = messages.map(({ headers }) => headers["ce_type"])
    expect(new Set(kinds)).toEqual(
      new Set(["created", "updated", "closed"].map((kind) => `backflow.finding.${kind}.v1`)),
    )
  })

  it("leave out the one that is too large for the topic, and no other", { timeout: 60_000 }, async () => {
    const { config, messages } = await prepare("too-large")
    // Noise does not compress.
    const noise = Array.from({ length: 60_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000))).join(
      "",
    )
    const large = aFinding({ id: batchOf(41).findings[0]?.id ?? "", summary: noise.repeat(12) })
    const alerts = await runAlerts(config.alerts, config.state)
    const outputs = Array.from({ length: 40 }, (_, i) => batchOf(i + 1))
    await alerts.queues[0]?.write([...outputs.slice(0, 10), anOutput(99, { findings: [large] }), ...outputs.slice(10)])
    await until("the rest has arrived", () => arrivedCount(messages) === 40)
    expectComplete(messages, 40)
    expect(await alerts.stop(10_000)).toBe(true)
    expect(alerts.status()[0]).toMatchObject({ refused: 1, published: 40, depth: 0 })
  })

  it("are bounded on disk while it is away, and what was given up is counted", { timeout: 60_000 }, async () => {
    const { config, messages } = await prepare("bounded", { outbox_bytes: 1_000_000 })
    await broker.kill()
    const alerts = await runAlerts(config.alerts, config.state)
    const last = 1_200
    for (let n = 1; n <= last; n += 20)
      await alerts.queues[0]?.write(Array.from({ length: 20 }, (_, i) => batchOf(n + i)))
    const [counts] = alerts.status()
    const shed = counts?.shed.high ?? 0
    expect(shed).toBeGreaterThan(100)
    expect(counts?.bytes).toBeLessThanOrEqual(1_000_000)
    expect((counts?.depth ?? 0) + shed).toBe(last)
    await broker.start()
    // A closing of what was given up does not leave.
    const arriving = () => last - shed - (alerts.status()[0]?.superseded ?? 0)
    await until("the rest has arrived", () => alerts.status()[0]?.depth === 0 && arrivedCount(messages) === arriving())
    await until("the oldest is gone", () => alerts.status()[0]?.oldestSeconds === 0)
    const newest = batchOf(last).findings[0]
    expect(
      withoutRepeats(messages)
        .get(newest?.id ?? "")
        ?.at(-1),
    ).toBe(`${newest?.id ?? ""}:${newest?.version ?? 0}`)
  })

  it("say who speaks and what it is in their headers", { timeout: 30_000 }, async () => {
    const { config, messages } = await prepare("headers")
    const alerts = await runAlerts(config.alerts, config.state)
    await alerts.queues[0]?.write([batchOf(1)])
    await until("it has arrived", () => messages.length === 1)
    const finding = aFinding({ id: batchOf(1).findings[0]?.id ?? "" })
    expect(messages[0]).toMatchObject({
      key: finding.id,
      headers: {
        "content-type": "application/json",
        ce_specversion: "1.0",
        ce_id: `${finding.id}:1`,
        ce_type: "backflow.finding.created.v1",
        ce_source: source,
        ce_subject: "build-7",
        ce_partitionkey: finding.id,
        ce_dataschema: "https://schema.ocsf.io/1.8.0/classes/detection_finding",
      },
    })
    expect(JSON.parse(messages[0]?.value ?? "")).toMatchObject({ class_uid: 2004, finding_info: { uid: finding.id } })
  })
})

describe.skipIf("missing" in jars || process.getuid?.() !== 0)("alerts on a broker whose disk is full", () => {
  it("wait until it has room again, and arrive each once", { timeout: 120_000 }, async () => {
    const disk = aFolder()
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", disk])
    onTestFinished(() => void execFileSync("umount", ["--lazy", disk]))
    const broker = await Broker.start("classPath" in jars ? jars.classPath : "", disk)
    onTestFinished(() => broker.remove())
    const config = configOf(aFolder(), { brokers: [broker.plain], topic: "full" })
    expect(await ensure(config, oneNode)).toMatchObject({ code: 0 })
    const { messages, stop } = await consume(broker.plain, "full")
    onTestFinished(stop)
    const alerts = await runAlerts(config.alerts, config.state)
    const write = async (from: number, to: number) => {
      for (let n = from; n <= to; n++) await alerts.queues[0]?.write([batchOf(n)])
    }
    const arrivedCount = () => new Set(messages.map(({ headers }) => headers["ce_id"])).size
    await write(1, 50)
    await until("the first arrive", () => arrivedCount() === 50)
    const ballast = join(disk, "ballast")
    // dd ends with an error where the disk does.
    spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=64k"], { stdio: "ignore" })
    await write(51, 150)
    await until("no broker takes them", () => alerts.status()[0]?.condition.state === "failing")
    rmSync(ballast)
    await broker.kill()
    await broker.start()
    await until("everything has arrived", () => arrivedCount() === 150, 60_000)
    const ids = Array.from({ length: 150 }, (_, i) =>
      batchOf(i + 1).findings.map(({ id, version }) => `${id}:${version}`),
    ).flat()
    expect([...withoutRepeats(messages).values()].flat().sort()).toEqual(ids.sort())
    expect(alerts.status()[0]).toMatchObject({ shed: noneShed, refused: 0 })
  })
})
