import type { Microseconds } from "./identity.js"

/** Totals of one coupling of a connection that a finding is about, as they stood at a moment: points of a curve. */
export interface CouplingPoint {
  /** Of A, the connection to the outside: 16 hex digits. */
  readonly cookie: string
  /** What the couplings of one set of processes share. */
  readonly group: string
  /** What stands for B: "127.0.0.1:8000", a path, "@name", or "pty of 812". */
  readonly channel: string
  readonly atUs: Microseconds
  /** How often B was opened so far. */
  readonly opened: number
  /** Bytes received on A and then written to B; received on B and then written to A. Totals so far. */
  readonly forwardIn: number
  readonly forwardOut: number
  readonly backwardIn: number
  readonly backwardOut: number
}
