import { formatAddress } from "../../domain/address.js"
import type { ConnectionUpdate, Exchanges, Initiator, Protocol, SshRoles } from "../../domain/connection.js"
import type { ProcessKey } from "../../domain/identity.js"
import { countVarints, emptyColumn, readHexWords, readVarints, unzigzag } from "./columns.js"
import type { Column } from "./columns.js"
import { limits } from "./wire-limits.js"
import type { Reject } from "./rejections.js"
import { WireError, WireReader } from "./wire-reader.js"

/** What the records of one batch have in common. */
export interface RecordContext {
  readonly baseUs: number
  /** This host's clock: no record may be further ahead of it than `limits.aheadUs`. */
  readonly nowUs: number
  readonly keyOf: (reference: number) => ProcessKey | undefined
  readonly reject: Reject
}

/** Thrown for a block whose columns do not fit each other: none of its records can be trusted. */
export class ColumnError extends WireError {}
export class TooManyRecords extends WireError {}

// Field numbers of message Connections in collector.proto; the golden batches hold them to it.
const field = { cookie: 1, netns: 2, addresses: 13, exchanges: 14 } as const
const varintColumns = 11
const exchangeColumns = 10
const initiators: readonly (Initiator | undefined)[] = ["unknown", "local", "remote", undefined]
const reasons = ["opened", "moved", "closed", "identified"] as const
/** By IP protocol number. */
const protocols: readonly (Protocol | undefined)[] = Array.from({ length: 256 }, (_, number) =>
  number === 6 ? "tcp" : number === 17 ? "udp" : undefined,
)

/** Every combination of the four bits once: records share them. */
const sshRoles: readonly SshRoles[] = Array.from({ length: 16 }, (_, bits) => ({
  localIdent: (bits & 1) !== 0,
  remoteIdent: (bits & 2) !== 0,
  localClient: (bits & 4) !== 0,
  remoteClient: (bits & 8) !== 0,
}))

/**
 * Reads a Connections message. A record that makes no sense is left out and counted; columns of unequal length throw, for
 * then no record can be told from its neighbour.
 */
export function decodeConnections(
  bytes: Uint8Array,
  start: number,
  end: number,
  context: RecordContext,
): ConnectionUpdate[] {
  const columns = splitColumns(bytes, start, end)
  const cookies = readCookies(columns.get(field.cookie) ?? emptyColumn)
  const count = cookies.length
  const numbers: Float64Array[] = []
  for (let number: number = field.netns; number < field.netns + varintColumns; number++)
    numbers.push(readColumn(columns.get(number) ?? emptyColumn, count))
  const [netns, process, flags, localIndex, remoteIndex, localPort, remotePort, opened, observed, sent, received] =
    numbers as [
      Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array,
      Float64Array, Float64Array, Float64Array,
    ] // prettier-ignore
  unzigzag(opened)
  unzigzag(observed)
  const addresses = readAddresses(columns.get(field.addresses) ?? emptyColumn)
  const exchanges = readExchanges(columns.get(field.exchanges), count)

  const updates: ConnectionUpdate[] = []
  // The hot loop of the analyzer: whole numbers are made so with >>>, which keeps them out of the heap.
  for (let i = 0; i < count; i++) {
    const bits = (flags[i] ?? 0) >>> 0
    const initiator = initiators[bits & 3]
    const protocol = protocols[(bits >> 8) & 0xff]
    const localAddress = addresses[localIndex[i] ?? 0]
    const remoteAddress = addresses[remoteIndex[i] ?? 0]
    const localPortNumber = (localPort[i] ?? 0) >>> 0
    const remotePortNumber = (remotePort[i] ?? 0) >>> 0
    const openedUs = context.baseUs + (opened[i] ?? 0)
    const observedUs = context.baseUs + (observed[i] ?? 0)
    const bytesSent = sent[i] ?? 0
    const bytesReceived = received[i] ?? 0
    const reference = (process[i] ?? 0) >>> 0
    if (initiator === undefined) context.reject("initiator")
    else if (protocol === undefined) context.reject("protocol")
    else if (localAddress === undefined || remoteAddress === undefined) context.reject("address_index")
    else if (localPortNumber > 65_535 || remotePortNumber > 65_535) context.reject("port")
    else if (!isPlausible(openedUs, context) || !isPlausible(observedUs, context)) context.reject("time")
    else if (bytesSent > limits.largestTotal || bytesReceived > limits.largestTotal) context.reject("total")
    else {
      const key = reference === 0 ? undefined : context.keyOf(reference)
      if (reference !== 0 && key === undefined) context.reject("unknown_process")
      updates.push({
        cookie: cookies[i] ?? "",
        netns: (netns[i] ?? 0) >>> 0,
        process: key,
        initiator,
        reason: reasons[(bits >> 2) & 3] ?? "moved",
        protocol,
        ssh: sshRoles[(bits >> 4) & 15] ?? noSsh,
        olderThanCollector: (bits & 0x1_00_00) !== 0,
        established: (bits & 0x2_00_00) !== 0,
        local: { address: localAddress, port: localPortNumber },
        remote: { address: remoteAddress, port: remotePortNumber },
        openedUs,
        observedUs,
        bytesSent,
        bytesReceived,
        exchanges: exchanges?.get(i),
      })
    }
  }
  return updates
}

const noSsh: SshRoles = { localIdent: false, remoteIdent: false, localClient: false, remoteClient: false }

/** Between 2000 and a day from now. */
export function isPlausible(us: number, { nowUs }: { readonly nowUs: number }): boolean {
  return us >= limits.earliestUs && us <= nowUs + limits.aheadUs
}

function splitColumns(bytes: Uint8Array, start: number, end: number): Map<number, Column> {
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
  if (size / 8 > limits.connectionsPerBatch) throw new TooManyRecords(`${size / 8} connections in one batch`)
  return readHexWords(column)
}

function readColumn(column: Column, count: number): Float64Array {
  if (countVarints(column) !== count) throw new ColumnError(`a column does not have ${count} values`)
  const values = new Float64Array(count)
  readVarints(column, values)
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
  const columns = splitColumns(block.bytes, block.start, block.end)
  const count = countVarints(columns.get(1) ?? emptyColumn)
  if (count > records) throw new ColumnError(`${count} exchanges for ${records} connections`)
  const values = Array.from({ length: exchangeColumns }, (_, i) => readColumn(columns.get(i + 1) ?? emptyColumn, count))
  for (let i = 0; i < count; i++) {
    const at = (column: number) => values[column]?.[i] ?? 0
    if (at(0) >= records) throw new ColumnError("exchanges of a connection that is not in the batch")
    byRecord.set(at(0), {
      remoteLed: at(1),
      remoteLedAnswered: at(2),
      localLed: at(3),
      localLedAnswered: at(4),
      localReplyLog2: at(5),
      remoteReplyLog2: at(6),
      sameSizeAnswers: at(7),
      strictAlternations: at(8),
      answerBytes: at(9),
    })
  }
  return byRecord
}
