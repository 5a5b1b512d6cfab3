import type { StoreClient } from "./client/store-client.js"

/**
 * The tables with a partition for each day, which make up all but a small part of a store: connection records most of
 * all. Findings, incidents and hourly sums are few; retention alone bounds them.
 */
const tables = ["connections", "couplings", "host_reports", "metrics"] as const

/**
 * Drops the oldest days of these tables, all tables of a day together, until they take no more than `bytes` on disk, over
 * all servers and copies of a cluster. The newest day stays: dropping it would lose what was written a moment ago. Gives
 * the days dropped, newest first.
 */
export async function dropOldestDays(session: StoreClient, bytes: number): Promise<readonly string[]> {
  const { dialect } = session
  const stored = new Map<string, string>(tables.map((name) => [dialect.storedName(name), name]))
  const parts = await session.rows<{ day: string; tables: string[]; bytes: string }>(
    `SELECT partition AS day, groupUniqArray(table) AS tables, sum(bytes_on_disk) AS bytes FROM ${dialect.system("parts")}
     WHERE database = {database:String} AND table IN (SELECT arrayJoin({tables:Array(String)})) AND active
     GROUP BY partition ORDER BY partition DESC`,
    { database: session.database, tables: [...stored.keys()] },
  )
  const dropped: string[] = []
  let kept = 0
  for (const [i, { day, tables: names, bytes: size }] of parts.entries()) {
    kept += Number(size)
    if (kept <= bytes || i === 0) continue
    for (const name of names) await session.command(dialect.dropPartition(stored.get(name) ?? name, day))
    dropped.push(day)
  }
  return dropped
}
