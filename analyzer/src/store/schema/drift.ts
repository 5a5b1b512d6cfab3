import type { Dialect } from "../client/dialect.js"
import { migrations } from "./migrations.js"
import { appliedVersion } from "./migrate.js"
import type { StoreClient } from "../client/store-client.js"
import { tables, views } from "./tables.js"

/** How the tables of a database differ from those of this release. */
export interface SchemaState {
  readonly present: number
  readonly known: number
  /** Steps that `schema apply` would take. */
  readonly pending: readonly string[]
  /** What is missing or other than it should be, one line each; only for a database of the known version. */
  readonly differences: readonly string[]
}

/** Every statement that an empty database needs, in order, as a person would run them. */
export function schemaStatements(dialect: Dialect): readonly string[] {
  return [dialect.createDatabase(), ...migrations.flatMap(({ statements }) => statements(dialect))]
}

export async function schemaState(client: StoreClient): Promise<SchemaState> {
  const present = await appliedVersion(client)
  const known = Math.max(...migrations.map(({ version }) => version))
  const pending = migrations
    .filter(({ version }) => version > present)
    .map(({ version, name }) => `${version} (${name})`)
  return { present, known, pending, differences: present === known ? await differences(client) : [] }
}

async function differences(client: StoreClient): Promise<readonly string[]> {
  const { database, dialect } = client
  const rows = await client.rows<{ table: string; name: string; type: string }>(
    "SELECT table, name, type FROM system.columns WHERE database = {database:String}",
    { database },
  )
  const byTable = new Map<string, Map<string, string>>()
  for (const { table, name, type } of rows)
    byTable.set(table, (byTable.get(table) ?? new Map<string, string>()).set(name, type))
  const found: string[] = []
  for (const { name: table, columns } of tables) {
    for (const place of new Set([table, dialect.storedName(table)])) {
      const present = byTable.get(place)
      if (present === undefined) found.push(`table ${place} is missing`)
      else found.push(...columnDifferences(place, columns, present))
    }
  }
  return [...found, ...views.filter((view) => !byTable.has(view)).map((view) => `view ${view} is missing`)]
}

function columnDifferences(
  table: string,
  expected: readonly (readonly [name: string, type: string])[],
  present: ReadonlyMap<string, string>,
): string[] {
  const missing = expected.filter(([name]) => !present.has(name)).map(([name]) => `${table}.${name} is missing`)
  const other = expected.flatMap(([name, definition]) => {
    const [is, wanted] = [present.get(name), plainType(definition)]
    return is === undefined || is === wanted ? [] : [`${table}.${name} is ${is}, and should be ${wanted}`]
  })
  const known = new Set(expected.map(([name]) => name))
  const more = [...present.keys()].filter((name) => !known.has(name)).map((name) => `${table}.${name} is unknown`)
  return [...missing, ...other, ...more]
}

/** The type alone, without what says how it is filled or kept. */
function plainType(definition: string): string {
  return definition.replace(/ (CODEC|DEFAULT)\b.*$/, "")
}
