import { setTimeout as pause } from "node:timers/promises"
import type { StoredConnection } from "../lab/connections.js"

const limitMs = 20_000

/** Closed connections that match, once the store has `count` of them; what it has when that takes too long. */
export async function closedConnections(
  from: { connections(): readonly StoredConnection[] },
  matches: (row: StoredConnection) => boolean,
  count: number,
): Promise<readonly StoredConnection[]> {
  const end = Date.now() + limitMs
  for (;;) {
    const rows = from.connections().filter((row) => row.closed !== "open" && matches(row))
    if (rows.length >= count || Date.now() > end) return rows
    await pause(100)
  }
}
