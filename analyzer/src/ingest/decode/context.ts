import type { Microseconds, ProcessKey } from "../../domain/identity.js"
import type { ProcessDictionary } from "./dictionary.js"
import type { Reject } from "./rejections.js"
import { wireLimits } from "./wire-limits.js"
import { WireError } from "./wire-reader.js"

/** What every message of one stream is read with. */
export interface DecodeContext {
  /** This host's clock: no record may be further ahead of it than `wireLimits.aheadUs`. */
  readonly nowUs: Microseconds
  readonly dictionary: ProcessDictionary
  readonly reject: Reject
}

/** What the records of one batch have in common. */
export interface RecordContext extends DecodeContext {
  /** Times of connections are relative to it. */
  readonly baseUs: Microseconds
}

/** Thrown for a block whose columns do not fit each other: none of its records can be trusted. */
export class ColumnError extends WireError {}
export class TooManyRecords extends WireError {}

/** Between 2000 and five minutes from now. */
export function isPlausible(us: Microseconds, { nowUs }: DecodeContext): boolean {
  return us >= wireLimits.earliestUs && us <= nowUs + wireLimits.aheadUs
}

/** The process that a record refers to; 0 refers to none. A reference that was never taught is counted. */
export function processOf(reference: number, { dictionary, reject }: DecodeContext): ProcessKey | undefined {
  if (reference === 0) return undefined
  const key = dictionary.keyOf(reference)
  if (key === undefined) reject("unknown_process")
  return key
}
