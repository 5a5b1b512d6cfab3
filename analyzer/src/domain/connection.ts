import type { Endpoint, Microseconds, ProcessKey } from "./identity.js"

export type Initiator = "unknown" | "local" | "remote"
/** "icmp" is that of either IP version, by raw and ping sockets: it has no ports. */
export type Protocol = "tcp" | "udp" | "icmp"

/**
 * How packets of a connection that this host opened reach its remote end, as the kernel routes them: by a gateway ("beyond"),
 * at an address of this host, to a neighbour on a link, through a tunnel device, through one for somebody outside who had
 * just spoken ("onward"), or through a proxy inside that was asked for a place outside.
 */
export type Route = "unknown" | "beyond" | "local" | "on-link" | "tunnel" | "onward" | "proxy"

/** What the first payload bytes of both directions showed (RFC 4253 4.2 and 8). */
export interface SshRoles {
  readonly localIdent: boolean
  readonly remoteIdent: boolean
  /** This side sent the key exchange request that only an SSH client sends. */
  readonly localClient: boolean
  readonly remoteClient: boolean
}

/**
 * Turn-taking on one socket, counted in the kernel. An exchange starts when a side speaks after 200 ms of silence and is
 * answered when the other side replies within 1 s.
 */
export interface Exchanges {
  readonly remoteLed: number
  readonly remoteLedAnswered: number
  readonly localLed: number
  readonly localLedAnswered: number
  /** Sum over answered exchanges of 256 * log2(reply time in ns). */
  readonly localReplyLog2: number
  readonly remoteReplyLog2: number
  readonly sameSizeAnswers: number
  readonly strictAlternations: number
  readonly answerBytes: number
}

/** One observation of a connection: totals so far, never differences. */
export interface ConnectionUpdate {
  /** Socket cookie, 16 hex digits; unique per host and boot. */
  readonly cookie: string
  readonly netns: number
  /** The owner then; a fork or a handed-over descriptor changes it. */
  readonly process: ProcessKey | undefined
  readonly initiator: Initiator
  readonly reason: "opened" | "moved" | "closed" | "identified"
  readonly protocol: Protocol
  readonly ssh: SshRoles
  readonly olderThanCollector: boolean
  readonly established: boolean
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly route: Route
  readonly openedUs: Microseconds
  readonly observedUs: Microseconds
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly exchanges: Exchanges | undefined
}

/** Why a connection counts as over: the kernel said so, or a snapshot or the end of its boot showed that it is gone. */
export type CloseReason = "closed" | "vanished"

/** What is known of a connection after every update so far: totals never fall, and closed stays closed. */
export interface Connection extends Omit<ConnectionUpdate, "reason"> {
  /** The last observation that showed more bytes than the one before. */
  readonly lastMovedUs: Microseconds
  readonly closed: CloseReason | undefined
}
