import { setTimeout as pause } from "node:timers/promises"
import type { Closed } from "../lab/watch.js"

const limitMs = 20_000

/** Closed connections as wanted, once the store has `count` of them; what it has when that takes too long. */
export async function closedConnections(
  from: { connections(): readonly Closed[] },
  wanted: (row: Closed) => boolean,
  count: number,
): Promise<readonly Closed[]> {
  const end = Date.now() + limitMs
  for (;;) {
    const rows = from.connections().filter((row) => row.closed !== "open" && wanted(row))
    if (rows.length >= count || Date.now() > end) return rows
    await pause(100)
  }
}
