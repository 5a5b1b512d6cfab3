import { open, readdir, readFile, stat, truncate, unlink } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { join } from "node:path"
import { syncFolder } from "./durable-file.js"
import { decodeRecord } from "./record.js"

/** One file of an outbox. Its name is the number of its first record, so that counts need no index. */
export interface Segment {
  readonly path: string
  /** Number of its first record. */
  readonly first: number
  count: number
  /** Bytes that are durable. */
  bytes: number
}

const digits = 16
const pattern = new RegExp(`^\\d{${digits}}\\.log$`)

/**
 * The segments of a folder, oldest first. The last one is read through: what follows its last whole record was torn by a
 * crash and is cut off. `torn` is 1 then.
 */
export async function readSegments(folder: string): Promise<{ readonly segments: Segment[]; readonly torn: number }> {
  const names = (await readdir(folder)).filter((name) => pattern.test(name)).sort()
  const segments: Segment[] = []
  let torn = 0
  for (const [i, name] of names.entries()) {
    const path = join(folder, name)
    const first = Number.parseInt(name, 10)
    const next = names[i + 1]
    if (next !== undefined) {
      segments.push({ path, first, count: Number.parseInt(next, 10) - first, bytes: (await stat(path)).size })
    } else {
      const bytes = await readFile(path)
      const { count, end } = wholeRecords(bytes)
      if (end < bytes.length) {
        await truncate(path, end)
        torn = 1
      }
      segments.push({ path, first, count, bytes: end })
    }
  }
  return { segments, torn }
}

function wholeRecords(bytes: Buffer): { readonly count: number; readonly end: number } {
  let [count, end] = [0, 0]
  for (let record = decodeRecord(bytes, 0); record !== undefined; record = decodeRecord(bytes, end)) {
    count += 1
    end = record.end
  }
  return { count, end }
}

export async function openSegment(segment: Segment): Promise<FileHandle> {
  return open(segment.path, "a", 0o600)
}

export async function createSegment(folder: string, first: number): Promise<Segment> {
  const path = join(folder, `${String(first).padStart(digits, "0")}.log`)
  await (await open(path, "w", 0o600)).close()
  await syncFolder(folder)
  return { path, first, count: 0, bytes: 0 }
}

export async function removeSegment({ path }: Segment): Promise<void> {
  await unlink(path).catch((thrown: unknown) => {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown
  })
}

/** Bytes from `offset` on, no more than `length` and none beyond what is durable. */
export async function readBytes({ path, bytes }: Segment, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, bytes - offset)))
  const file = await open(path, "r")
  try {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
