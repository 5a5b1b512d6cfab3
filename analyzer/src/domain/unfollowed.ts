import type { Microseconds, ProcessKey } from "./identity.js"

/** A use of a transport that its collector sees and does not follow: what it carries is judged by nothing. */
export interface Unfollowed {
  /** For people: "packet sockets", "the vxlan device v0 in network namespace 4026531840". */
  readonly what: string
  /** Whose sockets, or the nearest process above it that still runs; undefined for a device. */
  readonly process: ProcessKey | undefined
  /** Running total of what was sent and received; 0 for a device. */
  readonly bytes: number
  readonly lastUs: Microseconds
}
