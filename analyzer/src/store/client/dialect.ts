/** A table in terms that hold for a single engine and for a cluster. */
export interface TableDefinition {
  readonly name: string
  readonly columns: readonly (readonly [name: string, type: string])[]
  readonly indexes?: readonly string[]
  /** Of the MergeTree family, with its arguments. */
  readonly engine: { readonly family: "" | "Replacing" | "Aggregating"; readonly version?: string }
  readonly partitionBy?: string
  readonly orderBy: string
  readonly settings?: readonly string[]
  /** Inserts that a retry may repeat are remembered. */
  readonly isDeduplicated?: boolean
  /** Which shard holds a row: rows that belong together must be on one. */
  readonly shardBy: string
}

/** How statements are written for one engine, or for all servers of a cluster. */
export interface Dialect {
  readonly cluster: string | undefined
  /** Settings of every insert besides those that both dialects share. */
  readonly insertSettings: readonly string[]
  createDatabase(): string
  createTable(table: TableDefinition): readonly string[]
  addColumn(table: string, column: string, type: string): readonly string[]
  /** `select` names tables by `table()`. */
  createView(name: string, select: string): string
  /** Rows that enter `from` go through `select` into `to`; `select` names `stored(from)`. */
  createMaterializedView(name: string, to: string, select: string): string
  modifyTtl(table: string, ttl: string): string
  dropPartition(table: string, partition: string): string
  /** Where a table is read and written. */
  table(name: string): string
  /** Where its rows are. */
  stored(name: string): string
  /** The name of that table in system.tables and system.parts. */
  storedName(name: string): string
  /** A table of `system` as all servers have it, for sums over them. */
  system(name: string): string
}

/** Inserts that a retry may repeat: one token each, and far fewer are ever under way. */
const rememberedInserts = 1_000

const defined = ({ columns, indexes = [] }: TableDefinition) =>
  [...columns.map(([name, type]) => `  ${name} ${type}`), ...indexes.map((index) => `  ${index}`)].join(",\n")

function storage({ partitionBy, orderBy, settings = [], isDeduplicated }: TableDefinition, window: string): string {
  const all = [...settings, ...(isDeduplicated === true ? [`${window} = ${rememberedInserts}`] : [])]
  return [
    ...(partitionBy === undefined ? [] : [`PARTITION BY ${partitionBy}`]),
    `ORDER BY ${orderBy}`,
    ...(all.length === 0 ? [] : [`SETTINGS ${all.join(", ")}`]),
  ].join("\n")
}

/** The embedded engine, or one server. Names stand for tables of the current database. */
export function singleDialect(database: string): Dialect {
  const same = (name: string) => name
  return {
    cluster: undefined,
    insertSettings: [],
    createDatabase: () => `CREATE DATABASE IF NOT EXISTS ${database}`,
    createTable: (table) => [
      `CREATE TABLE IF NOT EXISTS ${table.name} (
${defined(table)}
) ENGINE = ${table.engine.family}MergeTree${table.engine.version === undefined ? "" : `(${table.engine.version})`}
${storage(table, "non_replicated_deduplication_window")}`,
    ],
    addColumn: (table, column, type) => [`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column} ${type}`],
    createView: (name, select) => `CREATE OR REPLACE VIEW ${name} AS\n${select}`,
    createMaterializedView: (name, to, select) =>
      `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name} TO ${to} AS\n${select}`,
    // Old parts follow at their next merge; rewriting all of them now would stop the start.
    modifyTtl: (table, ttl) => `ALTER TABLE ${table} MODIFY TTL ${ttl} SETTINGS materialize_ttl_after_modify = 0`,
    dropPartition: (table, partition) => `ALTER TABLE ${table} DROP PARTITION '${partition}'`,
    table: same,
    stored: same,
    storedName: same,
    system: (name) => `system.${name}`,
  }
}

/**
 * Every server of a cluster that defines the macros {shard} and {replica} and internal_replication = true. Rows are in
 * replicated tables NAME_local, and NAME reads and writes them all. Database and cluster are named in every statement:
 * the servers that carry it out have no current database.
 *
 * An insert into NAME is carried out on every shard before it is answered (distributed_foreground_insert): by default
 * it would wait in a queue on the disk of one server, and be acknowledged. The token goes along with the other settings
 * of the insert, and each shard remembers it for its own part. The sharding key decides by the row alone, so an insert
 * that is repeated is cut as it was the first time, and a shard that has its part drops it (ClickHouse discussion
 * 28270). Rows of one host are on one shard, so that a batch is there whole or not at all, as in a single engine.
 */
export function clusterDialect(database: string, cluster: string): Dialect {
  const on = `ON CLUSTER '${cluster}'`
  const table = (name: string) => `${database}.${name}`
  const stored = (name: string) => `${database}.${name}_local`
  return {
    cluster,
    insertSettings: ["distributed_foreground_insert = 1"],
    createDatabase: () => `CREATE DATABASE IF NOT EXISTS ${database} ${on}`,
    createTable: (definition) => {
      const { name, engine, shardBy } = definition
      const path = `/clickhouse/tables/{shard}/${database}/${name}_local`
      const args = [`'${path}'`, "'{replica}'", ...(engine.version === undefined ? [] : [engine.version])].join(", ")
      return [
        `CREATE TABLE IF NOT EXISTS ${stored(name)} ${on} (
${defined(definition)}
) ENGINE = Replicated${engine.family}MergeTree(${args})
${storage(definition, "replicated_deduplication_window")}`,
        `CREATE TABLE IF NOT EXISTS ${table(name)} ${on} AS ${stored(name)}
ENGINE = Distributed('${cluster}', '${database}', '${name}_local', ${shardBy})`,
      ]
    },
    // The rows' own table first: the other asks it for every column that it has.
    addColumn: (name, column, type) =>
      [stored(name), table(name)].map((one) => `ALTER TABLE ${one} ${on} ADD COLUMN IF NOT EXISTS ${column} ${type}`),
    createView: (name, select) => `CREATE OR REPLACE VIEW ${table(name)} ${on} AS\n${select}`,
    createMaterializedView: (name, to, select) =>
      `CREATE MATERIALIZED VIEW IF NOT EXISTS ${table(name)} ${on} TO ${stored(to)} AS\n${select}`,
    modifyTtl: (name, ttl) =>
      `ALTER TABLE ${stored(name)} ${on} MODIFY TTL ${ttl} SETTINGS materialize_ttl_after_modify = 0`,
    dropPartition: (name, partition) => `ALTER TABLE ${stored(name)} ${on} DROP PARTITION '${partition}'`,
    table,
    stored,
    storedName: (name) => `${name}_local`,
    system: (name) => `clusterAllReplicas('${cluster}', system.${name})`,
  }
}
