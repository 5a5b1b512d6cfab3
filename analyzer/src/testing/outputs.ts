import type { Connection } from "../domain/connection.js"
import { nothingLost } from "../domain/lost.js"
import type { ConnectionRow, Output } from "../domain/output.js"
import { aConnection } from "./connections.js"
import { aHost } from "./hosts.js"
import { aRowProcess } from "./processes.js"

export function aRow(changes: Partial<Connection> = {}, reason: ConnectionRow["reason"] = "moved"): ConnectionRow {
  return { reason, connection: aConnection(changes), process: aRowProcess, outside: true }
}

export function anOutput(seq: number, changes: Partial<Omit<Output, "seq" | "token">> = {}): Output {
  const host = changes.host ?? aHost()
  return {
    host,
    lost: nothingLost,
    connections: [aRow()],
    findings: [],
    incidents: [],
    couplings: [],
    report: undefined,
    ...changes,
    seq,
    token: `${host.hostId}:${host.bootId}:${host.instance}:${seq}`,
  }
}

/** The same without connections: what people are told. */
export function outputWith(parts: Partial<Pick<Output, "findings" | "incidents" | "couplings">>, seq = 1): Output {
  return anOutput(seq, { connections: [], ...parts })
}
