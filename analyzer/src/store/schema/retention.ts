import type { StoreClient } from "../client/store-client.js"
import { tables } from "./tables.js"

/** What gives the age of a table's rows, and how long they are kept. */
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

/** Sets how long rows are kept, where it is not so already: the value may change from one start to the next. */
export async function applyRetention(client: StoreClient, retention: Retention): Promise<void> {
  for (const { table, age, kept } of retained) {
    const days = retention[kept]
    const ttl = `${age} + toIntervalDay(${days})`
    const [row] = await client.rows<{ ddl: string }>(
      "SELECT create_table_query AS ddl FROM system.tables WHERE database = {database:String} AND name = {table:String}",
      { database: client.database, table: client.dialect.storedName(table) },
    )
    if (row?.ddl.includes(`TTL ${ttl}`) === true) continue
    await client.command(client.dialect.modifyTtl(table, ttl))
  }
}

/**
 * The tables with a partition for each day, which make up all but a small part of a store: connection records most of
 * all. Findings, incidents and hourly sums are few; retention alone bounds them.
 */
const daily = tables.filter(({ partitionBy }) => partitionBy?.startsWith("toDate(") === true).map(({ name }) => name)

/**
 * Drops the oldest days of these tables, all tables of a day together, until they take no more than `bytes` on disk, over
 * all servers and copies of a cluster. The newest day stays: dropping it would lose what was written a moment ago. Gives
 * the days dropped, newest first.
 */
export async function dropOldestDays(client: StoreClient, bytes: number): Promise<readonly string[]> {
  const { dialect } = client
  const stored = new Map<string, string>(daily.map((name) => [dialect.storedName(name), name]))
  const parts = await client.rows<{ day: string; tables: string[]; bytes: string }>(
    `SELECT partition AS day, groupUniqArray(table) AS tables, sum(bytes_on_disk) AS bytes FROM ${dialect.system("parts")}
     WHERE database = {database:String} AND table IN (SELECT arrayJoin({tables:Array(String)})) AND active
     GROUP BY partition ORDER BY partition DESC`,
    { database: client.database, tables: [...stored.keys()] },
  )
  const dropped: string[] = []
  let kept = 0
  for (const [i, { day, tables: names, bytes: size }] of parts.entries()) {
    kept += Number(size)
    if (kept <= bytes || i === 0) continue
    for (const name of names) await client.command(dialect.dropPartition(stored.get(name) ?? name, day))
    dropped.push(day)
  }
  return dropped
}
