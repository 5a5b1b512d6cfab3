import type { Endpoint, Microseconds, ProcessKey } from "./identity.js"

/** Sums over turns: x came in, y went out of the same turn, bytes, each capped at 1 MiB by the kernel. */
export interface Moments {
  readonly n: number
  readonly x: number
  readonly y: number
  readonly xx: number
  readonly yy: number
  readonly xy: number
}

/** Who waited for whom, counted in turns: what of it a relay does stands in the wire contract's Order. */
export interface TurnOrder {
  readonly openedLate: number
  readonly waited: number
  readonly straight: number
  readonly prompted: number
  readonly own: number
  readonly passed: number
  readonly kept: number
  readonly streamed: number
  readonly closedAfter: number
  readonly closedAlone: number
  /** How much sooner after A spoke than the time between A's messages, 256ths of a bit, over all that came after A. */
  readonly leadLog2: number
}

/**
 * Why the process of B acts in the group of A's: "lineage", it is the same process or descends from it; "descriptor", they hold
 * both ends of pipes, sockets or terminals; "workload", nothing that is seen, but they were started as one thing.
 */
export type JoinedBy = "lineage" | "descriptor" | "workload"

/** "many" is all that the group opened or wrote inside beyond the collector's bound of edges of one group. */
export type EdgeKind = "tcp" | "udp" | "unix" | "exec" | "many"

/**
 * Coupling between A, a connection that the group opened to the outside, and B, what the group opens or writes inside.
 * All numbers are running totals of the kernel's one edge per (group, remote end of A, B).
 */
export interface CouplingEdge {
  readonly group: string
  readonly kind: EdgeKind
  readonly aProcess: ProcessKey | undefined
  readonly bProcess: ProcessKey | undefined
  readonly aRemote: Endpoint
  readonly aCookie: string
  readonly bRemote: Endpoint
  /** Path of a unix peer, "@name" when abstract. */
  readonly bPath: string
  readonly bCookie: string
  readonly joinedBy: JoinedBy
  /** How often B was opened within 2 s after A spoke, or opened otherwise. */
  readonly openedAfter: number
  readonly openedAlone: number
  readonly delayMinNs: number
  /** Sum over openedAfter of 256 * log2(ns). */
  readonly delayLog2: number
  /** Bytes received on A before a write to B, written to B, received on B before a write to A, written to A. */
  readonly forwardIn: number
  readonly forwardOut: number
  readonly backwardIn: number
  readonly backwardOut: number
  readonly forward: Moments
  readonly backward: Moments
  /** The turn under way, not yet in the moments. */
  readonly openForward: { readonly x: number; readonly y: number }
  readonly openBackward: { readonly x: number; readonly y: number }
  readonly order: TurnOrder
  /** Of kind "exec" alone. */
  readonly executions?: Executions
  readonly firstUs: Microseconds
  readonly lastUs: Microseconds
}

/**
 * Programs that the group executed, by the time since A had spoken: under 4, 16, 64, 256 ms, and longer. Of those that follow
 * one turn of A, the first counts, and at most one that began much later. In edges of this kind `forward` is the length of
 * A's turn and of the program's words, `backward` what programs wrote and what left on A until it spoke again.
 */
export interface Executions {
  /** For how long A had been silent for so long. Nanoseconds. */
  readonly exposedNs: readonly number[]
  readonly started: readonly number[]
  /** The first turn of `forward` and `backward`: where a shell is started, the program that follows is the shell. */
  readonly firstForward: { readonly x: number; readonly y: number }
  readonly firstBackward: { readonly x: number; readonly y: number }
  /**
   * Programs before which A had sent messages of one size since the program before: as many as its words are long, as keys are
   * that are sent as they are typed, with the sum of 256 * log2 of that length; or not so many.
   */
  readonly typed: number
  readonly typedLog2: number
  readonly untyped: number
}

export interface Attachment {
  /** "pipe-between": stdin leads to `process`, stdout to the owner of another outside connection. */
  readonly kind: "stdio-socket" | "pty" | "pipe" | "tun" | "pipe-between"
  readonly process: ProcessKey
  readonly child: ProcessKey | undefined
  /** Of "tun": the device, see `deviceIdOf`; zeros when it is attached to none. */
  readonly cookie: string
  /** Bit n: descriptor n (0, 1, 2) is concerned. */
  readonly stdioMask: number
  readonly observedUs: Microseconds
  /** Characters read and written by the child so far. */
  readonly childRead: number
  readonly childWritten: number
  readonly gone: boolean
}

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
