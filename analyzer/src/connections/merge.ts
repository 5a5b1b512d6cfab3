import type { CloseReason, Connection, ConnectionUpdate, Exchanges, SshRoles } from "../domain/connection.js"

/**
 * What is known after one more update, or undefined when it tells nothing new: the connection is closed already. Updates
 * may come twice or out of order: totals only rise, and what was once seen (SSH, establishment) stays seen. Every field is
 * written out, here and in `begin`: with a spread in its place an update takes 11 to 25 times as long.
 */
export function merge(previous: Connection | undefined, update: ConnectionUpdate): Connection | undefined {
  const closed = update.reason === "closed" ? "closed" : undefined
  if (previous === undefined) return begin(update, closed)
  if (previous.closed !== undefined) return undefined
  const newer = update.observedUs >= previous.observedUs
  const grown = update.bytesSent > previous.bytesSent || update.bytesReceived > previous.bytesReceived
  return {
    cookie: previous.cookie,
    netns: previous.netns,
    process: newer ? (update.process ?? previous.process) : (previous.process ?? update.process),
    initiator: previous.initiator === "unknown" ? update.initiator : previous.initiator,
    protocol: previous.protocol,
    ssh: joinRoles(previous.ssh, update.ssh),
    olderThanCollector: previous.olderThanCollector && update.olderThanCollector,
    established: previous.established || update.established,
    local: newer ? update.local : previous.local,
    remote: newer ? update.remote : previous.remote,
    route: newer && update.route !== "unknown" ? update.route : previous.route,
    openedUs: Math.min(previous.openedUs, update.openedUs),
    observedUs: Math.max(previous.observedUs, update.observedUs),
    lastMovedUs: grown ? Math.max(previous.lastMovedUs, update.observedUs) : previous.lastMovedUs,
    bytesSent: Math.max(previous.bytesSent, update.bytesSent),
    bytesReceived: Math.max(previous.bytesReceived, update.bytesReceived),
    exchanges: furtherExchanges(previous.exchanges, update.exchanges),
    closed,
  }
}

function begin(update: ConnectionUpdate, closed: CloseReason | undefined): Connection {
  return {
    cookie: update.cookie,
    netns: update.netns,
    process: update.process,
    initiator: update.initiator,
    protocol: update.protocol,
    ssh: update.ssh,
    olderThanCollector: update.olderThanCollector,
    established: update.established,
    local: update.local,
    remote: update.remote,
    route: update.route,
    openedUs: update.openedUs,
    observedUs: update.observedUs,
    lastMovedUs: update.bytesSent + update.bytesReceived > 0 ? update.observedUs : update.openedUs,
    bytesSent: update.bytesSent,
    bytesReceived: update.bytesReceived,
    exchanges: update.exchanges,
    closed,
  }
}

/** The update that stands for a connection which is gone without a record of its end. */
export function vanishing(connection: Connection, atUs: number): { update: ConnectionUpdate; connection: Connection } {
  const { lastMovedUs, closed, ...rest } = connection
  const observedUs = Math.max(connection.observedUs, atUs)
  return {
    update: { ...rest, reason: "closed", observedUs },
    connection: { ...rest, lastMovedUs, observedUs, closed: closed ?? "vanished" },
  }
}

function joinRoles(a: SshRoles, b: SshRoles): SshRoles {
  if (a === b) return a
  return {
    localIdent: a.localIdent || b.localIdent,
    remoteIdent: a.remoteIdent || b.remoteIdent,
    localClient: a.localClient || b.localClient,
    remoteClient: a.remoteClient || b.remoteClient,
  }
}

/** A collector that started anew counts turns from zero: what was seen before is not unseen. */
function furtherExchanges(a: Exchanges | undefined, b: Exchanges | undefined): Exchanges | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.remoteLed + b.localLed >= a.remoteLed + a.localLed ? b : a
}
