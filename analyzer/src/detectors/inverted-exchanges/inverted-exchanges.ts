/** Inverted exchanges: on a connection that this host opened, the remote speaks first and this host answers. Supporting. */
import type { Detector } from "../../domain/detector.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"
import { isInverted, turnFeatures, type TurnFeatures } from "./judge.js"
import { invertedExchangesThresholds as limits } from "./thresholds.js"

export function invertedExchanges(): Detector {
  /** Each claim with what was counted when it was made. */
  const book = new ClaimBook<TurnFeatures>()
  return {
    name: detectorName,
    evictedClaims: () => book.evicted,
    observe(change, view) {
      if (change.kind !== "connection") return []
      const { connection } = change
      const { cookie, exchanges, closed, observedUs } = connection
      if (exchanges === undefined) return []
      if (closed !== undefined) return book.end(cookie, observedUs)
      if (exchanges.remoteLed < limits.minRemoteLed || !isOutbound(connection, view)) return []
      const before = book.get(cookie)
      if (before && exchanges.remoteLed < before.basis.remoteLed * limits.repeatFactor) return []
      const features = turnFeatures(exchanges)
      if (!isInverted(features)) return []
      return book.record(claimOf(connection, features, view, before?.claim), features, view)
    },
    tick: () => [],
  }
}
