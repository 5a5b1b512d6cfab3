/**
 * Long-lived outbound SSH: a channel to the outside that stays, on any port, silent or not. Age is counted while the
 * connection lives, by event time and not by its packets.
 */
import type { Connection } from "../../domain/connection.js"
import type { Claim, Detector } from "../../domain/detector.js"
import { accountOf } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"
import { isStandingSsh } from "./judge.js"
import { longLivedSshThresholds as limits } from "./thresholds.js"
import { WatchList } from "./watch-list.js"

export interface LongLivedSshOptions {
  /** Age at which a connection is claimed, in seconds: `detectors.long_lived_ssh.after_seconds`. */
  readonly afterSeconds: number
}

export function longLivedSsh({ afterSeconds }: LongLivedSshOptions): Detector {
  const ageUs = afterSeconds * 1_000_000
  const book = new ClaimBook(limits.watched)
  const watched = new WatchList()
  let evicted = 0

  function watch(connection: Connection, view: View): readonly Claim[] {
    const { cookie, process, ssh, olderThanCollector, closed, observedUs, openedUs } = connection
    if (!ssh.localIdent && !ssh.remoteIdent && !olderThanCollector) return []
    if (closed !== undefined) {
      watched.delete(cookie)
      return book.get(cookie) ? book.end(cookie, observedUs, claimOf(connection, view)) : []
    }
    if (watched.has(cookie) || !isOutbound(connection, view) || !isStandingSsh(connection, view)) return []
    const facts = process === undefined ? undefined : view.process(process)
    const gone = watched.add(cookie, facts === undefined ? "unknown" : accountOf(facts), openedUs + ageUs)
    if (gone !== undefined) {
      book.forget(gone)
      evicted += 1
    }
    return []
  }

  function look(cookie: string, view: View): readonly Claim[] {
    const connection = view.connection(cookie)
    if (connection === undefined || connection.closed !== undefined) {
      watched.delete(cookie)
      book.forget(cookie)
      return []
    }
    watched.postpone(cookie, view.nowUs + limits.repeatUs)
    return isStandingSsh(connection, view) ? book.record(claimOf(connection, view), undefined, view) : []
  }

  return {
    name: detectorName,
    evictedClaims: () => evicted + book.evicted,
    observe: (change, view) => (change.kind === "connection" ? watch(change.connection, view) : []),
    tick: (nowUs, view) => watched.takeDue(nowUs).flatMap((cookie) => look(cookie, view)),
  }
}
