import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { connect } from "../client/connect.js"
import type { StoreClients } from "../client/connect.js"
import { appliedVersion, migrate } from "./migrate.js"
import { migrations } from "./migrations.js"
import { applyRetention } from "./retention.js"

let folder: string
let sessions: StoreClients

const open = async () => {
  sessions = await connect({ kind: "embedded", folder }, "backflow", { memoryBytes: 1_000_000_000, querySeconds: 30 })
}
const close = async () => {
  await Promise.all([sessions.writer.close(), sessions.reader.close()])
}
const tables = async () =>
  (
    await sessions.reader.rows<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = 'backflow' ORDER BY name",
    )
  ).map(({ name }) => name)

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "backflow-migrate-"))
  await open()
})

afterEach(async () => {
  await close()
  rmSync(folder, { recursive: true, force: true })
})

const next = {
  version: 900,
  name: "a column",
  statements: () => ["ALTER TABLE connections ADD COLUMN IF NOT EXISTS extra UInt8"],
}

describe("migrate", () => {
  it("makes everything in an empty database", async () => {
    await migrate(sessions.writer)
    expect(await tables()).toEqual([
      "connections",
      "connections_current",
      "couplings",
      "findings",
      "findings_current",
      "host_reports",
      "incidents",
      "incidents_current",
      "metrics",
      "outbound_hourly",
      "outbound_hourly_rows",
      "schema_migrations",
    ])
    expect(await appliedVersion(sessions.writer)).toBe(migrations.at(-1)?.version)
  })

  it("does nothing a second time, after a restart too", async () => {
    await migrate(sessions.writer)
    await close()
    await open()
    await migrate(sessions.writer)
    const [row] = await sessions.reader.rows("SELECT toUInt32(count()) AS n FROM schema_migrations")
    expect(row).toEqual({ n: migrations.length })
  })

  it("brings a database of an earlier release up to date and keeps its rows", async () => {
    await migrate(sessions.writer)
    await sessions.writer.insert("connections", ["host_id", "cookie"], ['["a", 7]'], "t")
    await migrate(sessions.writer, [...migrations, next])
    expect(await sessions.reader.rows("SELECT host_id, cookie, extra FROM connections")).toEqual([
      { host_id: "a", cookie: "7", extra: 0 },
    ])
    expect(await appliedVersion(sessions.writer)).toBe(900)
  })

  it("goes on where it was cut off", async () => {
    await migrate(sessions.writer)
    const broken = { ...next, statements: () => [...next.statements(), "ALTER TABLE nowhere ADD COLUMN a UInt8"] }
    await expect(migrate(sessions.writer, [...migrations, broken])).rejects.toThrow("nowhere")
    expect(await appliedVersion(sessions.writer)).toBe(migrations.at(-1)?.version)
    await migrate(sessions.writer, [...migrations, next])
    expect(await appliedVersion(sessions.writer)).toBe(900)
  })

  it("refuses the database of a later release and leaves it alone", async () => {
    await migrate(sessions.writer, [...migrations, next])
    await expect(migrate(sessions.writer)).rejects.toMatchObject({
      code: "store-newer",
      message: `The store has schema version 900, and this release knows versions up to ${migrations.at(-1)?.version ?? 0}.`,
    })
  })
})

describe("applyRetention", () => {
  const ttl = async (table: string) => {
    const [row] = await sessions.reader.rows<{ ddl: string }>(
      "SELECT create_table_query AS ddl FROM system.tables WHERE name = {table:String}",
      { table },
    )
    return /TTL (.*?) SETTINGS/.exec(row?.ddl ?? "")?.[1]
  }

  it("follows the configuration from start to start", async () => {
    await migrate(sessions.writer)
    await applyRetention(sessions.writer, { connectionDays: 30, findingDays: 365, rollupDays: 400 })
    expect(await ttl("connections")).toBe("toDateTime(batch_at) + toIntervalDay(30)")
    expect(await ttl("incidents")).toBe("stored_at + toIntervalDay(365)")
    await applyRetention(sessions.writer, { connectionDays: 7, findingDays: 365, rollupDays: 400 })
    expect(await ttl("connections")).toBe("toDateTime(batch_at) + toIntervalDay(7)")
  })

  it("removes what is older at the next merge", async () => {
    await migrate(sessions.writer)
    await applyRetention(sessions.writer, { connectionDays: 30, findingDays: 365, rollupDays: 400 })
    const us = (days: number) => (Math.floor(Date.now() / 1_000) - days * 86_400) * 1_000_000
    for (const days of [1, 60])
      await sessions.writer.insert("connections", ["cookie", "batch_at"], [`[${days}, ${us(days)}]`], `d${days}`)
    await sessions.writer.command("OPTIMIZE TABLE connections FINAL")
    expect(await sessions.reader.rows("SELECT cookie FROM connections")).toEqual([{ cookie: "1" }])
  })
})
