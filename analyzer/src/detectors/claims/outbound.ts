import type { Connection } from "../../domain/connection.js"
import type { View } from "../../domain/view.js"

/** This host opened it, or tried to, to an address outside or in an overlay. */
export function isOutbound({ initiator, remote, route }: Connection, view: View): boolean {
  return initiator === "local" && view.networks.isOutside(remote.address, route)
}
