/**
 * Long-lived outbound SSH: a channel to the outside that stays, on any port, silent or not. Age is counted while the
 * connection lives, by event time and not by its packets.
 */
import type { Connection } from "../../domain/connection.js"
import type { Claim, Detector } from "../../domain/detector.js"
import type { Microseconds } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"
import { isStandingSsh } from "./judge.js"
import { longLivedSshThresholds as limits } from "./thresholds.js"

export interface LongLivedSshOptions {
  /** Age at which a connection is claimed, in seconds: `detectors.long_lived_ssh.after_seconds`. */
  readonly afterSeconds: number
}

export function longLivedSsh({ afterSeconds }: LongLivedSshOptions): Detector {
  const ageUs = afterSeconds * 1_000_000
  const book = new ClaimBook()
  /** When each watched connection is looked at next, by cookie. */
  const due = new Map<string, Microseconds>()
  let nextDueUs = Number.POSITIVE_INFINITY

  function watch(connection: Connection, view: View): readonly Claim[] {
    const { cookie, ssh, olderThanCollector, closed, observedUs } = connection
    if (!ssh.localIdent && !ssh.remoteIdent && !olderThanCollector) return []
    if (closed !== undefined) {
      due.delete(cookie)
      return book.get(cookie) ? book.end(cookie, observedUs, claimOf(connection, view)) : []
    }
    if (due.has(cookie) || !isOutbound(connection, view) || !isStandingSsh(connection, view)) return []
    const oldest = due.keys().next()
    if (due.size >= limits.watched && oldest.done !== true) forget(oldest.value)
    due.set(cookie, connection.openedUs + ageUs)
    nextDueUs = Math.min(nextDueUs, connection.openedUs + ageUs)
    return []
  }

  function forget(cookie: string): void {
    due.delete(cookie)
    book.forget(cookie)
  }

  return {
    name: detectorName,
    observe: (change, view) => (change.kind === "connection" ? watch(change.connection, view) : []),
    tick(nowUs, view) {
      if (nowUs < nextDueUs) return []
      const claims: Claim[] = []
      nextDueUs = Number.POSITIVE_INFINITY
      for (const [cookie, dueUs] of due) {
        const connection = view.connection(cookie)
        if (connection?.closed !== undefined || connection === undefined) {
          forget(cookie)
          continue
        }
        if (dueUs <= nowUs) {
          if (isStandingSsh(connection, view)) claims.push(...book.record(claimOf(connection, view)))
          due.set(cookie, nowUs + limits.repeatUs)
        }
        nextDueUs = Math.min(nextDueUs, due.get(cookie) ?? nextDueUs)
      }
      return claims
    },
  }
}
