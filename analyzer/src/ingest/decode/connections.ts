import { formatAddress } from "../../domain/address.js"
import type { ConnectionUpdate, Exchanges, Initiator, Protocol, Route, SshRoles } from "../../domain/connection.js"
import { countVarints, emptyColumn, readHexWords, readVarints, unzigzag } from "./columns.js"
import type { Column } from "./columns.js"
import { ColumnError, TooManyRecords, isPlausible, processOf } from "./context.js"
import type { RecordContext } from "./context.js"
import { wireLimits } from "./wire-limits.js"
import { WireReader } from "./wire-reader.js"
import type { Span } from "./wire-reader.js"

type ReadColumn = (field: number) => Float64Array

// Field numbers of messages Connections and Exchanges in collector.proto; the golden batches hold them to it.
const field = { cookie: 1, addresses: 13, exchanges: 14 } as const
const numbersOf = (column: ReadColumn) => ({
  netns: column(2),
  /** Reference to a process; 0 when the owner is not known. */
  process: column(3),
  /** Bits 0-1 initiator, 2-3 reason, 4-7 SSH, 8-15 protocol, 16 older than the collector, 17 established, 21-23 route; 18 and 19 are not read. */
  flags: column(4),
  /** Index into the addresses. */
  localAddress: column(5),
  remoteAddress: column(6),
  localPort: column(7),
  remotePort: column(8),
  /** Microseconds from the base of the batch, zigzag. */
  openedUs: column(9),
  observedUs: column(10),
  bytesSent: column(11),
  bytesReceived: column(12),
})
const recordField = 1
const exchangesOf = (column: ReadColumn) => ({
  /** Index of the connection in this block. */
  record: column(recordField),
  remoteLed: column(2),
  remoteLedAnswered: column(3),
  localLed: column(4),
  localLedAnswered: column(5),
  localReplyLog2: column(6),
  remoteReplyLog2: column(7),
  sameSizeAnswers: column(8),
  strictAlternations: column(9),
  answerBytes: column(10),
})

const initiators: readonly (Initiator | undefined)[] = ["unknown", "local", "remote", undefined]
/** By number; a number that is new to this analyzer says nothing. */
const routes: readonly Route[] = ["unknown", "beyond", "local", "on-link", "tunnel", "onward", "proxy", "unknown"]
const reasons = ["opened", "moved", "closed", "identified"] as const
/** By IP protocol number. */
const protocolNumbers: Readonly<Record<number, Protocol>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmp" }
const protocols: readonly (Protocol | undefined)[] = Array.from({ length: 256 }, (_, number) => protocolNumbers[number])

/** Every combination of the four bits once: records share them. */
const sshRoles: readonly SshRoles[] = Array.from({ length: 16 }, (_, bits) => ({
  localIdent: (bits & 1) !== 0,
  remoteIdent: (bits & 2) !== 0,
  localClient: (bits & 4) !== 0,
  remoteClient: (bits & 8) !== 0,
}))

/**
 * Reads Connections messages. A record that makes no sense is left out and counted; columns of unequal length throw, for
 * then no record can be told from its neighbour.
 */
export function decodeConnections(
  bytes: Uint8Array,
  spans: readonly Span[],
  context: RecordContext,
): ConnectionUpdate[] {
  const updates: ConnectionUpdate[] = []
  for (const span of spans) readBlock(bytes, span, context, updates)
  return updates
}

function readBlock(bytes: Uint8Array, span: Span, context: RecordContext, updates: ConnectionUpdate[]): void {
  const columns = splitColumns(bytes, span)
  const cookies = readCookies(columns.get(field.cookie) ?? emptyColumn)
  const count = cookies.length
  const values = numbersOf((number) => readColumn(columns.get(number), count))
  unzigzag(values.openedUs)
  unzigzag(values.observedUs)
  const addresses = readAddresses(columns.get(field.addresses) ?? emptyColumn)
  const exchanges = readExchanges(columns.get(field.exchanges), count)

  // The hot loop of the analyzer: whole numbers are made so with >>>, which keeps them out of the heap.
  for (let i = 0; i < count; i++) {
    const bits = (values.flags[i] ?? 0) >>> 0
    const initiator = initiators[bits & 3]
    const protocol = protocols[(bits >> 8) & 0xff]
    const local = addresses[values.localAddress[i] ?? 0]
    const remote = addresses[values.remoteAddress[i] ?? 0]
    const localPort = (values.localPort[i] ?? 0) >>> 0
    const remotePort = (values.remotePort[i] ?? 0) >>> 0
    const openedUs = context.baseUs + (values.openedUs[i] ?? 0)
    const observedUs = context.baseUs + (values.observedUs[i] ?? 0)
    const bytesSent = values.bytesSent[i] ?? 0
    const bytesReceived = values.bytesReceived[i] ?? 0
    if (initiator === undefined) context.reject("initiator")
    else if (protocol === undefined) context.reject("protocol")
    else if (local === undefined || remote === undefined) context.reject("address_index")
    else if (localPort > 65_535 || remotePort > 65_535) context.reject("port")
    else if (!isPlausible(openedUs, context) || !isPlausible(observedUs, context)) context.reject("time")
    else if (bytesSent > wireLimits.maxTotal || bytesReceived > wireLimits.maxTotal) context.reject("total")
    else
      updates.push({
        cookie: cookies[i] ?? "",
        netns: (values.netns[i] ?? 0) >>> 0,
        process: processOf((values.process[i] ?? 0) >>> 0, context),
        initiator,
        reason: reasons[(bits >> 2) & 3] ?? "moved",
        protocol,
        ssh: sshRoles[(bits >> 4) & 15] ?? noSsh,
        olderThanCollector: (bits & 0x1_00_00) !== 0,
        established: (bits & 0x2_00_00) !== 0,
        local: { address: local, port: localPort },
        remote: { address: remote, port: remotePort },
        route: routes[(bits >> 21) & 7] ?? "unknown",
        openedUs,
        observedUs,
        bytesSent,
        bytesReceived,
        exchanges: exchanges?.get(i),
      })
  }
}

const noSsh: SshRoles = { localIdent: false, remoteIdent: false, localClient: false, remoteClient: false }

function splitColumns(bytes: Uint8Array, { start, end }: Span): Map<number, Column> {
  const columns = new Map<number, Column>()
  const reader = new WireReader(bytes, start, end)
  while (reader.next()) {
    if (reader.field > field.exchanges) reader.skip()
    else if (columns.has(reader.field)) throw new ColumnError(`column ${reader.field} stands twice`)
    else columns.set(reader.field, { bytes, ...reader.span() })
  }
  return columns
}

function readCookies(column: Column): string[] {
  const size = column.end - column.start
  if (size % 8 !== 0) throw new ColumnError("the cookie column is not made of 8-byte words")
  if (size / 8 > wireLimits.connectionsPerBatch) throw new TooManyRecords(`${size / 8} connections in one batch`)
  return readHexWords(column)
}

function readColumn(column: Column | undefined, count: number): Float64Array {
  const present = column ?? emptyColumn
  if (countVarints(present) !== count) throw new ColumnError(`a column does not have ${count} values`)
  const values = new Float64Array(count)
  readVarints(present, values)
  return values
}

function readAddresses({ bytes, start, end }: Column): string[] {
  if ((end - start) % 16 !== 0) throw new ColumnError("the address column is not made of 16-byte addresses")
  return Array.from({ length: (end - start) / 16 }, (_, i) => formatAddress(bytes, start + 16 * i))
}

/** Turn-taking by index of the record. */
function readExchanges(block: Column | undefined, records: number): ReadonlyMap<number, Exchanges> | undefined {
  if (block === undefined) return undefined
  const byRecord = new Map<number, Exchanges>()
  const columns = splitColumns(block.bytes, block)
  const count = countVarints(columns.get(recordField) ?? emptyColumn)
  if (count > records) throw new ColumnError(`${count} exchanges for ${records} connections`)
  const values = exchangesOf((number) => readColumn(columns.get(number), count))
  for (let i = 0; i < count; i++) {
    const record = values.record[i] ?? 0
    if (record >= records) throw new ColumnError("exchanges of a connection that is not in the batch")
    byRecord.set(record, {
      remoteLed: values.remoteLed[i] ?? 0,
      remoteLedAnswered: values.remoteLedAnswered[i] ?? 0,
      localLed: values.localLed[i] ?? 0,
      localLedAnswered: values.localLedAnswered[i] ?? 0,
      localReplyLog2: values.localReplyLog2[i] ?? 0,
      remoteReplyLog2: values.remoteReplyLog2[i] ?? 0,
      sameSizeAnswers: values.sameSizeAnswers[i] ?? 0,
      strictAlternations: values.strictAlternations[i] ?? 0,
      answerBytes: values.answerBytes[i] ?? 0,
    })
  }
  return byRecord
}
