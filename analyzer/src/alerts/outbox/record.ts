import { createHash } from "node:crypto"

/** Bytes before the payload: length (u32), check sum (u32), moment in milliseconds (f64); little-endian. */
export const headerBytes = 16

/** No record is longer; what claims to be is torn. */
const maxPayloadBytes = 64 * 1024 * 1024

export function encodeRecord(atMs: number, payload: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(headerBytes + payload.length)
  record.writeUInt32LE(payload.length, 0)
  record.writeDoubleLE(atMs, 8)
  record.set(payload, headerBytes)
  record.writeUInt32LE(checkSum(record), 4)
  return record
}

export interface StoredRecord {
  readonly atMs: number
  readonly payload: Buffer
  /** Where the next record begins. */
  readonly end: number
}

/** The record at `offset`; undefined when it is cut short or its check sum is wrong. */
export function decodeRecord(bytes: Buffer, offset: number): StoredRecord | undefined {
  const length = lengthAt(bytes, offset)
  if (length === undefined || offset + headerBytes + length > bytes.length) return undefined
  const end = offset + headerBytes + length
  const record = bytes.subarray(offset, end)
  if (record.readUInt32LE(4) !== checkSum(record)) return undefined
  return { atMs: record.readDoubleLE(8), payload: record.subarray(headerBytes), end }
}

/** Bytes of the payload that the header at `offset` announces; undefined when there is no such header. */
export function lengthAt(bytes: Buffer, offset: number): number | undefined {
  if (offset + headerBytes > bytes.length) return undefined
  const length = bytes.readUInt32LE(offset)
  return length > maxPayloadBytes ? undefined : length
}

export function momentAt(bytes: Buffer, offset: number): number {
  return bytes.readDoubleLE(offset + 8)
}

/** The first four bytes of SHA-256 over everything but the check sum: node:zlib has crc32 only from Node 20.15 on. */
function checkSum(record: Buffer): number {
  const hash = createHash("sha256").update(record.subarray(0, 4)).update(record.subarray(8))
  return hash.digest().readUInt32LE(0)
}
