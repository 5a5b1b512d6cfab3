import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { batchOf } from "@backflow/analyzer/testing/alert-writer"
import { Broker, user } from "./broker.js"
import { aFolder, configOf, ensure, oneNode, runAlerts, until } from "./setup.js"
import { consume } from "./consume.js"
import { brokerJars } from "./jars.js"

const jars = brokerJars()
if ("missing" in jars) process.stderr.write(`skipped: no Kafka broker for tests: ${jars.missing}\n`)

describe.skipIf("missing" in jars)("a Kafka cluster", () => {
  let broker: Broker

  beforeAll(async () => {
    broker = await Broker.start("classPath" in jars ? jars.classPath : "")
  }, 90_000)

  afterAll(async () => {
    await broker.remove()
  }, 30_000)

  /** Settings that sign in over TLS. */
  function secureSettings(
    folder: string,
    topic: string,
    mechanism = "scram-sha-512",
    password: string = user.password,
  ): object {
    const passwordFile = join(folder, "password")
    writeFileSync(passwordFile, `${password}\n`)
    return {
      brokers: [broker.secure],
      topic,
      tls: { ca_file: broker.certificates.authorityFile },
      sasl: { mechanism, username: user.name, password_file: passwordFile },
    }
  }

  describe("topics ensure", () => {
    it("makes the topic, and finds it fitting then", async () => {
      const config = configOf(aFolder(), { brokers: [broker.plain], topic: "made" })
      expect(await ensure(config, oneNode, "dry-run")).toEqual({
        code: 0,
        text: "The topic made is missing, and would be created with 3 partitions, 1 replicas, min.insync.replicas=1, cleanup.policy=compact,delete.\n",
      })
      expect(await ensure(config, oneNode)).toMatchObject({ code: 0, text: expect.stringContaining("Created") as string })
      expect(await ensure(config, oneNode)).toEqual({ code: 0, text: "The topic made exists and matches.\n" })
      expect(await ensure(config, { ...oneNode, partitions: "2" })).toMatchObject({ code: 0 })
    })

    it("says in what the topic differs, and changes nothing", async () => {
      const config = configOf(aFolder(), { brokers: [broker.plain], topic: "differs" })
      await ensure(config, oneNode)
      const more = { partitions: "6", replication: "3", "min-insync": "2" }
      const { code, text } = await ensure(config, more)
      expect(code).toBe(1)
      for (const part of ["3 partitions, not 6", "1 replicas, not 3", "min.insync.replicas=1, not 2"]) {
        expect(text).toContain(part)
      }
      expect(await ensure(config, oneNode)).toMatchObject({ code: 0 })
    })

    it("says what to do when there are fewer brokers than replicas", async () => {
      const config = configOf(aFolder(), { brokers: [broker.plain], topic: "wide" })
      const { code, text } = await ensure(config)
      expect(code).toBe(1)
      expect(text).toContain("the cluster has 1.\nGive --replication 1 --min-insync 1")
    })

    it("says that no broker can be reached, and where", async () => {
      const config = configOf(aFolder(), { brokers: ["127.0.0.1:1"], topic: "nowhere" })
      const { code, text } = await ensure(config)
      expect(code).toBe(1)
      expect(text).toMatch(/127\.0\.0\.1:1: no broker is reachable: .*ECONNREFUSED/)
    })
  })

  describe.each(["plain", "scram-sha-256", "scram-sha-512"])("over TLS with %s", (mechanism) => {
    it("takes alerts from who knows the password", { timeout: 30_000 }, async () => {
      const folder = aFolder()
      const topic = `secure-${mechanism}`
      const config = configOf(folder, secureSettings(folder, topic, mechanism))
      expect(await ensure(config, oneNode)).toMatchObject({ code: 0 })
      const alerts = await runAlerts(config.alerts, folder)
      await alerts.queues[0]?.write([batchOf(1)])
      const { messages, stop } = await consume(broker.plain, topic)
      onTestFinished(stop)
      await until("the alert arrives", () => messages.length === 1)
    })

    it("refuses anybody else, in words and without the password", { timeout: 30_000 }, async () => {
      const folder = aFolder()
      const config = configOf(folder, secureSettings(folder, `wrong-${mechanism}`, mechanism, "not the password"))
      const result = await ensure(config, oneNode)
      expect(result.code).toBe(1)
      expect(result.text).toContain("refused the user name or password")
      const lines: string[] = []
      const alerts = await runAlerts(config.alerts, folder, lines)
      await alerts.queues[0]?.write([batchOf(1)])
      await until("the condition fails", () => alerts.status()[0]?.condition.state === "failing")
      expect(alerts.status()[0]?.condition.text).toContain("password_file")
      await until("it was retried", () => (alerts.status()[0]?.errors ?? 0) > 2)
      expect(lines).toHaveLength(1)
      expect(lines.join()).not.toContain("not the password")
      expect(await alerts.stop(100)).toBe(false)
      expect(alerts.status()[0]?.depth).toBe(1)
    })
  })

  it("is not believed when its certificate is of another authority", { timeout: 30_000 }, async () => {
    const folder = aFolder()
    const config = configOf(folder, { ...secureSettings(folder, "untrusted"), tls: {} })
    const { code, text } = await ensure(config, oneNode)
    expect(code).toBe(1)
    expect(text).toMatch(/certificate is not trusted: .*alerts\.kafka\.tls\.ca_file/)
  })

  it("gets alerts as soon as the missing topic is made", { timeout: 30_000 }, async () => {
    const folder = aFolder()
    const config = configOf(folder, { brokers: [broker.plain], topic: "late" })
    const alerts = await runAlerts(config.alerts, folder)
    await alerts.queues[0]?.write([batchOf(1)])
    await until("the condition fails", () => alerts.status()[0]?.condition.state === "failing")
    expect(alerts.status()[0]?.condition.text).toContain("backflow topics ensure")
    await ensure(config, oneNode)
    const { messages, stop } = await consume(broker.plain, "late")
    onTestFinished(stop)
    await until("the alert arrives", () => messages.length === 1)
    await until("the condition is well again", () => alerts.status()[0]?.condition.state === "ok")
  })
})
