import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { loadConfig } from "../config/load.js"
import { connect } from "../store/client/connect.js"
import { storeOptions } from "../store/from-config.js"
import { parseArguments } from "./cli/arguments.js"
import { schemaCommand } from "./schema.js"

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-schema-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

const configOf = (flags: Readonly<Record<string, string>> = {}) =>
  loadConfig({ environment: {}, flags: { state: folder, ...flags } })

async function run(words: readonly string[], flags: Readonly<Record<string, string>> = {}) {
  const lines: string[] = []
  const terminal = {
    out: (text: string) => void lines.push(text),
    note: (text: string) => void lines.push(text),
    colour: false,
    environment: {},
    nowUs: () => 0,
  }
  const code = await schemaCommand(parseArguments(["schema", ...words]), configOf(flags), terminal)
  return { code, text: lines.join("\n") }
}

async function inStore(statement: string): Promise<void> {
  const { target, database, limits } = storeOptions(configOf())
  const { writer, reader } = await connect(target, database, limits)
  await writer.command(statement)
  await Promise.all([writer.close(), reader.close()])
}

describe("backflow schema", () => {
  it("makes the tables, and then has nothing to do and nothing to say", async () => {
    expect(await run(["apply"])).toMatchObject({
      code: 0,
      text: expect.stringContaining("applied 1 (connections") as string,
    })
    expect(await run(["apply"])).toMatchObject({ code: 0, text: expect.stringContaining("nothing to apply") as string })
    expect(await run(["check"])).toEqual({ code: 0, text: "schema version 3, this release knows 3\n" })
  })

  it("tells columns and views that somebody changed", async () => {
    await run(["apply"])
    await inStore("ALTER TABLE findings ADD COLUMN note String")
    await inStore("ALTER TABLE findings MODIFY COLUMN score Float32")
    await inStore("ALTER TABLE connections DROP COLUMN answer_bytes")
    await inStore("DROP VIEW incidents_current")
    const { code, text } = await run(["check"])
    expect(code).toBe(12)
    expect(text).toContain("connections.answer_bytes is missing")
    expect(text).toContain("findings.note is unknown")
    expect(text).toContain("findings.score is Float32, and should be Float64")
    expect(text).toContain("view incidents_current is missing")
  })

  it("tells what is still to be applied", async () => {
    await run(["apply"])
    await inStore("ALTER TABLE schema_migrations DELETE WHERE version = 3 SETTINGS mutations_sync = 2")
    expect(await run(["check"])).toMatchObject({
      code: 12,
      text: expect.stringContaining("to be applied: 3") as string,
    })
  })

  it("makes no store by looking for one", async () => {
    await expect(run(["check"])).rejects.toMatchObject({ code: "store-unreachable" })
  })

  it("prints statements that an empty engine takes, and the same tables on a cluster", async () => {
    const { text } = await run(["print"])
    expect(text).toMatch(/^CREATE DATABASE IF NOT EXISTS backflow;\n\nUSE backflow;\n/)
    for (const statement of text.split(";\n").slice(2)) if (statement.trim() !== "") await inStore(statement)
    const cluster = await run(["print"], { "store.url": "http://127.0.0.1:9", "store.cluster": "main" })
    expect(cluster.text).toContain("ON CLUSTER 'main'")
    expect(cluster.text).toContain(
      "ReplicatedMergeTree('/clickhouse/tables/{shard}/backflow/connections_local', '{replica}')",
    )
    expect(cluster.text).toContain("ENGINE = Distributed('main', 'backflow', 'connections_local', cityHash64(host_id))")
    expect(cluster.text).not.toContain("USE ")
  })

  it("prints for a cluster what was agreed on, and the engine can read every statement of it", async () => {
    const { text } = await run(["print"], { "store.url": "http://127.0.0.1:9", "store.cluster": "main" })
    await expect(text).toMatchFileSnapshot("../testing/cluster-schema.sql")
    const statements = text.split(";\n").filter((statement) => statement.trim() !== "")
    expect(statements.length).toBeGreaterThan(20)
    const { target, database, limits } = storeOptions(configOf())
    const { writer, reader } = await connect(target, database, limits)
    const read = async (statement: string) =>
      (
        await writer.rows<{ text: string }>("SELECT formatQuerySingleLine({statement:String}) AS text", { statement })
      )[0]
    for (const statement of statements) {
      const formed = await read(statement)
      expect(formed?.text).toContain("ON CLUSTER")
    }
    await expect(read("CREATE TABLE ON CLUSTER")).rejects.toThrow(/Syntax error/)
    await Promise.all([writer.close(), reader.close()])
  })

  it("says what it takes", async () => {
    await expect(run(["draw"])).rejects.toMatchObject({ code: "usage" })
  })
})
