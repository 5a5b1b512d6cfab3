import type { Connection, Exchanges } from "../../domain/connection.js"
import type { ConnectionRow, Output, RowProcess } from "../../domain/output.js"
import type { Endpoint, Microseconds } from "../../domain/identity.js"
import { NativeBlock } from "./native-block.js"
import { connectionColumns } from "../schema/columns.js"
import type { ConnectionColumn } from "../schema/columns.js"
import { unsigned } from "../schema/values.js"

/** Length of a day in microseconds; partitions are days in UTC. */
export const dayUs = 86_400_000_000

/** One row on its way into the table. */
export interface StoredConnection {
  readonly output: Output
  readonly row: ConnectionRow
  /** Moment that all rows of the batch share. */
  readonly batchUs: Microseconds
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

/** Writes the value of one column for one row. */
type Cell = (block: NativeBlock, stored: StoredConnection) => void

const ofOutput =
  (value: (output: Output) => string): Cell =>
  (block, { output }) =>
    block.text(value(output))
const ofProcess =
  (value: (process: RowProcess) => string): Cell =>
  (block, { row }) =>
    block.text(row.process === undefined ? "" : value(row.process))
const total =
  (value: (connection: Connection) => number): Cell =>
  (block, { row }) =>
    block.uint64(unsigned(value(row.connection)))
const flag =
  (value: (connection: Connection) => boolean): Cell =>
  (block, { row }) =>
    block.uint8(value(row.connection) ? 1 : 0)
const count =
  (value: (exchanges: Exchanges) => number): Cell =>
  (block, { row }) =>
    block.uint32(row.connection.exchanges === undefined ? 0 : unsigned(value(row.connection.exchanges)))
const sum =
  (value: (exchanges: Exchanges) => number): Cell =>
  (block, { row }) =>
    block.uint64(row.connection.exchanges === undefined ? 0 : unsigned(value(row.connection.exchanges)))
/** By the numbers of the enumerations in the schema. */
const word =
  <Word extends string>(numbers: Readonly<Record<Word, number>>, value: (row: ConnectionRow) => Word): Cell =>
  (block, { row }) =>
    block.uint8(numbers[value(row)])

const address =
  (end: (connection: Connection) => Endpoint): Cell =>
  (block, { row }) =>
    block.address(end(row.connection).address)

const cells: Readonly<Record<ConnectionColumn, Cell>> = {
  host_id: ofOutput(({ host }) => host.hostId),
  boot_id: ofOutput(({ host }) => host.bootId),
  cookie: (block, { row }) => hexadecimal(block, row.connection.cookie),
  host_name: ofOutput(({ host }) => host.hostName),
  instance: ofOutput(({ host }) => host.instance),
  seq: (block, { output }) => block.uint64(unsigned(output.seq)),
  batch_at: (block, { batchUs }) => block.uint64(batchUs),
  reason: word({ opened: 0, moved: 1, closed: 2, identified: 3 }, ({ reason }) => reason),
  closed: word({ open: 0, vanished: 1, closed: 2 }, ({ connection }) => connection.closed ?? "open"),
  // The column knows two: the tracker makes no row of another.
  protocol: word({ tcp: 6, udp: 17, icmp: 17 }, ({ connection }) => connection.protocol),
  initiator: word({ unknown: 0, local: 1, remote: 2 }, ({ connection }) => connection.initiator),
  netns: (block, { row }) => block.uint32(row.connection.netns),
  local_address: address(({ local }) => local),
  local_port: (block, { row }) => block.uint16(row.connection.local.port),
  remote_address: address(({ remote }) => remote),
  remote_port: (block, { row }) => block.uint16(row.connection.remote.port),
  opened_at: total(({ openedUs }) => openedUs),
  observed_at: total(({ observedUs }) => observedUs),
  last_moved_at: total(({ lastMovedUs }) => lastMovedUs),
  bytes_sent: total(({ bytesSent }) => bytesSent),
  bytes_received: total(({ bytesReceived }) => bytesReceived),
  established: flag(({ established }) => established),
  older_than_collector: flag(({ olderThanCollector }) => olderThanCollector),
  ssh_local_ident: flag(({ ssh }) => ssh.localIdent),
  ssh_remote_ident: flag(({ ssh }) => ssh.remoteIdent),
  ssh_local_client: flag(({ ssh }) => ssh.localClient),
  ssh_remote_client: flag(({ ssh }) => ssh.remoteClient),
  pid: (block, { row }) => block.uint32(row.process?.pid ?? 0),
  start_ns: (block, { row }) => decimal(block, row.process?.startNs ?? ""),
  exe: ofProcess(({ exe }) => exe),
  comm: ofProcess(({ comm }) => comm),
  argv: (block, { row }) => row.process?.argv.forEach((argument) => block.text(argument)),
  uid: (block, { row }) => block.uint32(row.process?.uid ?? 0),
  container_id: ofProcess(({ containerId }) => containerId),
  remote_led: count(({ remoteLed }) => remoteLed),
  remote_led_answered: count(({ remoteLedAnswered }) => remoteLedAnswered),
  local_led: count(({ localLed }) => localLed),
  local_led_answered: count(({ localLedAnswered }) => localLedAnswered),
  local_reply_log2: sum(({ localReplyLog2 }) => localReplyLog2),
  remote_reply_log2: sum(({ remoteReplyLog2 }) => remoteReplyLog2),
  same_size_answers: count(({ sameSizeAnswers }) => sameSizeAnswers),
  strict_alternations: count(({ strictAlternations }) => strictAlternations),
  answer_bytes: sum(({ answerBytes }) => answerBytes),
  outside: (block, { row }) => block.uint8(row.outside ? 1 : 0),
}

/** The rows as one block of the columns of `connections`, in the order of the schema. */
export function connectionBlock(rows: readonly StoredConnection[]): Buffer {
  const block = new NativeBlock(connectionColumns.length, rows.length)
  for (const [name, type] of connectionColumns) {
    block.column(name, wireType(type))
    if (name === "argv") writeOffsets(block, rows)
    const cell = cells[name]
    for (const stored of rows) cell(block, stored)
  }
  return block.bytes
}

/** Arrays begin with the position behind each row's last element. */
function writeOffsets(block: NativeBlock, rows: readonly StoredConnection[]): void {
  let end = 0
  for (const { row } of rows) {
    end += row.process?.argv.length ?? 0
    block.uint64(end)
  }
}

/** Dictionaries are the engine's business: it makes them from plain text. */
function wireType(type: string): string {
  return type.replace(/ CODEC\(.*\)$/, "").replace(/^LowCardinality\((.*)\)$/, "$1")
}

/** 16 hex digits; 0 when there are none. */
function hexadecimal(block: NativeBlock, digits: string): void {
  const isHex = /^[0-9a-f]{1,16}$/i.test(digits)
  const low = isHex ? Number.parseInt(digits.slice(-8), 16) : 0
  const high = isHex && digits.length > 8 ? Number.parseInt(digits.slice(0, -8), 16) : 0
  block.uint32(low)
  block.uint32(high)
}

/** Decimal digits as process start times travel; 0 when there are none. */
function decimal(block: NativeBlock, digits: string): void {
  if (!/^\d{1,19}$/.test(digits)) block.uint64(0)
  // Up to 15 digits are exact in a double.
  else if (digits.length <= 15) block.uint64(Number(digits))
  else block.bigUint64(BigInt(digits))
}
