import type { ConnectionRow, Output } from "../domain/output.js"
import type { Endpoint, Microseconds } from "../domain/identity.js"
import { parseAddress } from "../domain/address.js"

/** Length of a day in microseconds; partitions are days in UTC. */
export const dayUs = 86_400_000_000
const unspecified = "::"

/** What a 64-bit column takes at most; what is not a number counts as 0. */
export function unsigned(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.min(Math.trunc(value), Number.MAX_SAFE_INTEGER) : 0
}

/** The engine refuses a whole insert for half of a surrogate pair, and argv is whatever a program says. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd")
}

/** A cookie's 16 hex digits as the decimal text that UInt64 columns take; 0 when there is none. */
export function cookieNumber(cookie: string): string {
  return /^[0-9a-f]{1,16}$/i.test(cookie) ? BigInt(`0x${cookie}`).toString() : "0"
}

/** An address that the engine can read. */
export function storedAddress(endpoint: Endpoint): string {
  return parseAddress(endpoint.address) === undefined ? unspecified : endpoint.address
}

/** Only digits, as process start times travel. */
export function decimal(text: string): string {
  return /^\d{1,19}$/.test(text) ? text : "0"
}

/**
 * Moment that all rows of a batch share: the latest observation in it. One from another age (a host without a clock)
 * counts as `nowUs`, or it would make a partition of its own that is expired at birth.
 */
export function batchMoment(output: Output, nowUs: Microseconds): Microseconds {
  const latest = latestObservation(output)
  return Math.abs(latest - nowUs) > 2 * dayUs ? nowUs : latest
}

export function latestObservation(output: Output): Microseconds {
  return output.connections.reduce((max, { connection }) => Math.max(max, unsigned(connection.observedUs)), 0)
}

/** Text of one row in the order of `connectionColumns`. */
export function connectionRow(output: Output, row: ConnectionRow, batchUs: Microseconds): string {
  const { connection: c, process } = row
  const exchanges = c.exchanges
  return JSON.stringify([
    wellFormed(output.host.hostId),
    wellFormed(output.host.bootId),
    cookieNumber(c.cookie),
    wellFormed(output.host.hostName),
    output.host.instance,
    output.seq,
    batchUs,
    row.reason,
    c.closed ?? "open",
    c.protocol,
    c.initiator,
    c.netns,
    storedAddress(c.local),
    c.local.port,
    storedAddress(c.remote),
    c.remote.port,
    unsigned(c.openedUs),
    unsigned(c.observedUs),
    unsigned(c.lastMovedUs),
    unsigned(c.bytesSent),
    unsigned(c.bytesReceived),
    c.established,
    c.olderThanCollector,
    c.ssh.localIdent,
    c.ssh.remoteIdent,
    c.ssh.localClient,
    c.ssh.remoteClient,
    process?.pid ?? 0,
    decimal(process?.startNs ?? ""),
    wellFormed(process?.exe ?? ""),
    wellFormed(process?.comm ?? ""),
    process?.argv.map(wellFormed) ?? [],
    process?.uid ?? 0,
    wellFormed(process?.containerId ?? ""),
    exchanges?.remoteLed ?? 0,
    exchanges?.remoteLedAnswered ?? 0,
    exchanges?.localLed ?? 0,
    exchanges?.localLedAnswered ?? 0,
    unsigned(exchanges?.localReplyLog2 ?? 0),
    unsigned(exchanges?.remoteReplyLog2 ?? 0),
    exchanges?.sameSizeAnswers ?? 0,
    exchanges?.strictAlternations ?? 0,
    unsigned(exchanges?.answerBytes ?? 0),
  ])
}
