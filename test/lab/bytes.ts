import { setTimeout as pause } from "node:timers/promises"
import type { StoredConnection } from "./connections.js"
import type { Watch } from "./watch.js"

const limitMs = 5_000

/**
 * True once both ends of a connection, which are on this machine, have counted the same bytes in each direction. Checked
 * before a case is torn down: a program that is killed leaves bytes on the way that one end sent and nobody received.
 */
export async function bytesAgree(watch: Watch, cookie: string): Promise<boolean> {
  const end = Date.now() + limitMs
  while (!agree(cookie, watch.connections())) {
    if (Date.now() > end) return false
    await pause(100)
  }
  return true
}

function agree(cookie: string, connections: readonly StoredConnection[]): boolean {
  const near = connections.find((c) => c.cookie === cookie)
  const far = near && connections.find((c) => isOtherEnd(near, c))
  return near !== undefined && far?.bytes_received === near.bytes_sent && far.bytes_sent === near.bytes_received
}

function isOtherEnd(near: StoredConnection, far: StoredConnection): boolean {
  return (
    far.cookie !== near.cookie &&
    isSame(far.local, near.remote) &&
    far.local_port === near.remote_port &&
    isSame(near.local, far.remote) &&
    far.remote_port === near.local_port
  )
}

/** A UDP socket that is bound to no address has none to say. */
function isSame(own: string, others: string): boolean {
  return own === others || own === "0.0.0.0" || own === "::"
}
