import { AppError } from "../../errors.js"
import { migrations } from "./migrations.js"
import type { Migration } from "./migrations.js"
import type { StoreClient } from "../client/store-client.js"
import { ledger } from "./tables.js"

/**
 * Brings the database to the newest known schema and returns its version. Throws "store-newer" when a later release
 * wrote it: an older one would lose what it does not know.
 */
export async function migrate(client: StoreClient, known: readonly Migration[] = migrations): Promise<number> {
  const { dialect } = client
  // Looked up first: a cluster carries out no DDL while one of its servers is away, and a restart must be possible then.
  if (!(await hasLedger(client))) for (const statement of dialect.createTable(ledger)) await client.command(statement)
  const newest = Math.max(0, ...known.map(({ version }) => version))
  const present = await appliedVersion(client)
  if (present > newest) {
    throw new AppError(
      "store-newer",
      `The store has schema version ${present}, and this release knows versions up to ${newest}.`,
      "Start the newer release that wrote it, or use another --state folder or database.",
    )
  }
  for (const migration of known) {
    if (migration.version <= present) continue
    for (const statement of migration.statements(dialect)) await client.command(statement)
    await client.insert(
      "schema_migrations",
      ["version", "name"],
      [JSON.stringify([migration.version, migration.name])],
      `schema-${migration.version}`,
    )
  }
  return newest
}

async function hasLedger(client: StoreClient): Promise<boolean> {
  const found = await client.rows(
    "SELECT name FROM system.tables WHERE database = {database:String} AND name = {table:String}",
    { database: client.database, table: ledger.name },
  )
  return found.length > 0
}

/** The newest migration recorded, 0 in an empty database. */
export async function appliedVersion(client: StoreClient): Promise<number> {
  if (!(await hasLedger(client))) return 0
  const [row] = await client.rows<{ version: number }>("SELECT max(version) AS version FROM schema_migrations")
  return row?.version ?? 0
}
