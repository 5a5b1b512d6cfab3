import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { loadConfig } from "../config/load.js"
import type { Arguments } from "./cli/arguments.js"
import { topicsCommand } from "./topics.js"
import { aFolder } from "../testing/folder.js"

// With a broker: test/kafka/cluster.test.ts.

function run(
  values: Arguments["values"],
  operands: readonly string[] = ["ensure"],
  kafka: object = {},
): Promise<number> {
  const file = join(aFolder(), "backflow.yaml")
  writeFileSync(file, JSON.stringify({ alerts: { kafka: { brokers: ["127.0.0.1:1"], ...kafka } } }))
  const command = { name: "topics", text: "", operands: "ensure", options: [] } as unknown as Arguments["command"]
  const terminal = { out: () => undefined, note: () => undefined, colour: false, environment: {}, nowUs: () => 0 }
  const config = loadConfig({ file, environment: {} })
  return topicsCommand({ command, operands, values, switches: new Set() }, config, terminal)
}

describe("backflow topics", () => {
  it.each<[string, Arguments["values"], string]>([
    ["no number", { partitions: "many" }, '--partitions takes a whole number from 1, not "many".'],
    ["zero", { replication: "0" }, '--replication takes a whole number from 1, not "0".'],
    ["more in sync than there are", { replication: "1" }, "--min-insync 2 can never be met by --replication 1."],
  ])("refuses %s", async (_what, values, message) => {
    await expect(run(values)).rejects.toMatchObject({ code: "usage", message })
  })

  it("knows ensure alone", async () => {
    await expect(run({}, ["delete"])).rejects.toMatchObject({ code: "usage" })
    await expect(run({}, [])).rejects.toMatchObject({ code: "usage" })
  })

  it("names the setting whose file cannot be read", async () => {
    const sasl = { mechanism: "plain", username: "a", password_file: "/nowhere/password" }
    await expect(run({}, ["ensure"], { sasl })).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("alerts.kafka.sasl.password_file cannot be read") as string,
    })
  })

  it("needs a cluster", async () => {
    const terminal = { out: () => undefined, note: () => undefined, colour: false, environment: {}, nowUs: () => 0 }
    const command = { name: "topics", text: "", operands: "ensure", options: [] } as unknown as Arguments["command"]
    const args = { command, operands: ["ensure"], values: {}, switches: new Set<string>() }
    await expect(topicsCommand(args, loadConfig({ environment: {} }), terminal)).rejects.toMatchObject({
      code: "config",
      message: "No Kafka cluster is configured.",
    })
  })
})
