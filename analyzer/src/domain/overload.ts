import type { Microseconds, ProcessKey } from "./identity.js"

/**
 * What one process did beyond a bound of its collector, so that it was not seen one by one: places inside that one group
 * dials, groups that one identity holds, open descriptors that a walk visited, records for which the ring had no room.
 */
export const overloadKinds = ["edges", "groups", "descriptors", "records"] as const
export type OverloadKind = (typeof overloadKinds)[number]

export interface Overload {
  readonly kind: OverloadKind
  /** The process itself, or the nearest one above it that still runs. */
  readonly process: ProcessKey | undefined
  /** Running total of this process and kind beyond the bound. */
  readonly count: number
  /** The bound, in the same unit. */
  readonly limit: number
  readonly firstUs: Microseconds
  readonly lastUs: Microseconds
}
