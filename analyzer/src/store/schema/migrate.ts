import { AppError } from "../../errors.js"
import { migrations } from "./migrations.js"
import type { Migration } from "./migrations.js"
import type { StoreClient } from "../client/store-client.js"
import { ledger } from "./tables.js"

/** What tells the age of a table's rows, and how long they are kept. */
const retained = [
  { table: "connections", age: "toDateTime(batch_at)", kept: "connectionDays" },
  { table: "findings", age: "stored_at", kept: "findingDays" },
  { table: "incidents", age: "stored_at", kept: "findingDays" },
  { table: "couplings", age: "toDateTime(at)", kept: "findingDays" },
  { table: "host_reports", age: "toDateTime(at)", kept: "connectionDays" },
  { table: "metrics", age: "toDateTime(at)", kept: "connectionDays" },
  { table: "outbound_hourly", age: "hour", kept: "rollupDays" },
] as const

export interface Retention {
  /** Days that connection records are kept. */
  readonly connectionDays: number
  /** Days that findings and incidents are kept, and the curves behind them. */
  readonly findingDays: number
  /** Days that hourly sums are kept. */
  readonly rollupDays: number
}

/**
 * Brings the database to the newest known schema and returns its version. Throws "store-newer" when a later release
 * wrote it: an older one would lose what it does not know.
 */
export async function migrate(session: StoreClient, known: readonly Migration[] = migrations): Promise<number> {
  const { dialect } = session
  // Asked first: a cluster carries out no DDL while one of its servers is away, and a restart must be possible then.
  if (!(await hasLedger(session))) for (const statement of dialect.createTable(ledger)) await session.command(statement)
  const newest = Math.max(0, ...known.map(({ version }) => version))
  const present = await appliedVersion(session)
  if (present > newest) {
    throw new AppError(
      "store-newer",
      `The store has schema version ${present}, and this release knows versions up to ${newest}.`,
      "Start the newer release that wrote it, or use another --state folder or database.",
    )
  }
  for (const migration of known) {
    if (migration.version <= present) continue
    for (const statement of migration.statements(dialect)) await session.command(statement)
    await session.insert(
      "schema_migrations",
      ["version", "name"],
      [JSON.stringify([migration.version, migration.name])],
      `schema-${migration.version}`,
    )
  }
  return newest
}

async function hasLedger(session: StoreClient): Promise<boolean> {
  const found = await session.rows(
    "SELECT name FROM system.tables WHERE database = {database:String} AND name = {table:String}",
    { database: session.database, table: ledger.name },
  )
  return found.length > 0
}

/** The newest migration recorded, 0 in an empty database. */
export async function appliedVersion(session: StoreClient): Promise<number> {
  if (!(await hasLedger(session))) return 0
  const [row] = await session.rows<{ version: number }>("SELECT max(version) AS version FROM schema_migrations")
  return row?.version ?? 0
}

/** Sets how long rows are kept, where it is not so already: the value may change from one start to the next. */
export async function applyRetention(session: StoreClient, retention: Retention): Promise<void> {
  for (const { table, age, kept } of retained) {
    const days = retention[kept]
    const ttl = `${age} + toIntervalDay(${days})`
    const [row] = await session.rows<{ ddl: string }>(
      "SELECT create_table_query AS ddl FROM system.tables WHERE database = {database:String} AND name = {table:String}",
      { database: session.database, table: session.dialect.storedName(table) },
    )
    if (row?.ddl.includes(`TTL ${ttl}`) === true) continue
    await session.command(session.dialect.modifyTtl(table, ttl))
  }
}
