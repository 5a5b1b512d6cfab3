/** Inverted exchanges: on a connection that this host opened, the remote speaks first and this host answers. Supporting. */
import type { Detector } from "../../domain/detector.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import type { Connection } from "../../domain/connection.js"
import type { View } from "../../domain/view.js"
import { claimOf, detectorName, relayedClaimOf } from "./evidence.js"
import { isInverted, isLedBackwards, turnFeatures, type TurnFeatures } from "./judge.js"
import { invertedExchangesThresholds as limits } from "./thresholds.js"

export function invertedExchanges(): Detector {
  /** Each claim with what was counted when it was made. */
  const book = new ClaimBook<TurnFeatures>()
  /** Of sessions that an SSH server of this host passes on. */
  const relayed = new ClaimBook()

  function onRelayed(connection: Connection, view: View) {
    const { exchanges, ssh, closed, cookie, observedUs } = connection
    if (closed !== undefined) return relayed.end(`relayed ${cookie}`, observedUs)
    if (!ssh.localClient || exchanges === undefined || relayed.get(`relayed ${cookie}`)) return []
    const features = turnFeatures(exchanges)
    if (!isLedBackwards(features) || !isOutbound(connection, view) || !isServed(connection, view)) return []
    return relayed.record(relayedClaimOf(connection, features, view), undefined, view)
  }

  function onTurns(connection: Connection, view: View) {
    const { cookie, exchanges, closed, observedUs } = connection
    if (exchanges === undefined) return []
    if (closed !== undefined) return book.end(cookie, observedUs)
    if (exchanges.remoteLed < limits.minRemoteLed || !isOutbound(connection, view)) return []
    const before = book.get(cookie)
    if (before && exchanges.remoteLed < before.basis.remoteLed * limits.repeatFactor) return []
    const features = turnFeatures(exchanges)
    if (!isInverted(features)) return []
    return book.record(claimOf(connection, features, view, before?.claim), features, view)
  }

  return {
    name: detectorName,
    evictedClaims: () => book.evicted + relayed.evicted,
    observe(change, view) {
      if (change.kind !== "connection") return []
      return [...onRelayed(change.connection, view), ...onTurns(change.connection, view)]
    },
    tick: () => [],
  }
}

/** Its process is the SSH server of a connection that it accepted: what it opened, it opened for the client of that one. */
function isServed({ process }: Connection, view: View): boolean {
  if (process === undefined) return false
  let looked = 0
  for (const { initiator, ssh } of view.connectionsOf(process)) {
    if (initiator === "remote" && ssh.remoteClient) return true
    if (++looked >= limits.relayed.lookedConnections) return false
  }
  return false
}
