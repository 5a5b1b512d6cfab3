import { join } from "node:path"
import { readJson, replaceFile } from "./durable-file.js"
import type { Segment } from "./segments.js"

/** Where a record stands; the reader's place is where the next one to send begins. */
export interface Place {
  readonly seq: number
  /** Number of the first record of its segment, and the offset in its file. */
  readonly segment: number
  readonly offset: number
}

/** The reader's place as it was kept, when it still fits what is there; the oldest record otherwise. */
export async function readPlace(folder: string, segments: readonly Segment[]): Promise<Place> {
  const kept = await readJson(cursorOf(folder))
  const { seq, segment, offset } = (typeof kept === "object" && kept !== null ? kept : {}) as Partial<Place>
  const found = segments.find(({ first }) => first === segment)
  const oldest = segments[0]?.first ?? 0
  if (found === undefined || typeof seq !== "number" || typeof offset !== "number") {
    return { seq: oldest, segment: oldest, offset: 0 }
  }
  const end = found.first + found.count
  const isInside = seq >= found.first && seq <= end && offset >= 0 && offset <= found.bytes
  return isInside ? { seq, segment: found.first, offset } : { seq: end, segment: found.first, offset: found.bytes }
}

export function savePlace(folder: string, place: Place): Promise<void> {
  return replaceFile(cursorOf(folder), JSON.stringify(place), { sync: false })
}

function cursorOf(folder: string): string {
  return join(folder, "cursor.json")
}
