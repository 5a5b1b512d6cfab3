/** SSH role inversion: this host opened the connection, and the far side is the SSH client on it. */
import type { Connection } from "../../domain/connection.js"
import type { Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"

export function sshRoleInversion(): Detector {
  const book = new ClaimBook()
  return {
    name: detectorName,
    evictedClaims: () => book.evicted,
    observe(change, view) {
      if (change.kind !== "connection" || !change.connection.ssh.remoteClient) return []
      const { connection } = change
      const { cookie, closed, observedUs, process } = connection
      if (closed !== undefined) return book.end(cookie, observedUs, claimOf(connection, view))
      const before = book.get(cookie)?.claim
      if (before ? before.process === process : !isInverted(connection, view)) return []
      return book.record(claimOf(connection, view), undefined, view)
    },
    tick: () => [],
  }
}

/** Only an SSH client sends the first key exchange message, so one bit decides; that both sent it is no SSH. */
function isInverted(connection: Connection, view: View): boolean {
  return connection.ssh.remoteClient && !connection.ssh.localClient && isOutbound(connection, view)
}
