import type { Connection } from "../domain/connection.js"
import { netnsOfDevice } from "../domain/tunnel-use.js"
import type { AttachmentTable } from "./attachment-table.js"
import type { ConnectionTable } from "./connection-table.js"

const mirrorLimits = {
  /** Between who asks, and the user-mode network that dials for it: the handshake inside it is local. Microseconds. */
  openedWithinUs: 3_000_000,
  /** Attachments of the owner that are looked at, and connections of the namespace to the same place. */
  attachments: 64,
  connections: 256,
}

/** See View. */
export function mirrorOf(
  connection: Connection,
  attachments: AttachmentTable,
  connections: ConnectionTable,
): Connection | undefined {
  if (connection.process === undefined || connection.initiator === "remote") return undefined
  let looked = 0
  for (const { kind, process, cookie } of attachments.ofProcess(connection.process)) {
    if (++looked > mirrorLimits.attachments) return undefined
    const netns = netnsOfDevice(cookie)
    if (kind !== "tun" || process !== connection.process || netns === 0 || netns === connection.netns) continue
    const mirror = openedAlike(connection, connections.toPlace(netns, connection))
    if (mirror !== undefined) return mirror
  }
  return undefined
}

function openedAlike({ openedUs }: Connection, candidates: Iterable<Connection>): Connection | undefined {
  let looked = 0
  for (const candidate of candidates) {
    if (Math.abs(candidate.openedUs - openedUs) <= mirrorLimits.openedWithinUs) return candidate
    if (++looked > mirrorLimits.connections) return undefined
  }
  return undefined
}
