import type { Connection } from "../../domain/connection.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds, ProcessFacts, ProcessKey } from "../../domain/identity.js"
import type { Place } from "./place.js"

export interface TunnelRequest {
  /** What the tunnel or shell would be made with: "ssh", "chisel". */
  readonly tool: string
  readonly kind: "remote-forward" | "tun" | "tool" | "shell" | "unread"
  /** The words that ask for it. */
  readonly spellings: readonly string[]
  /** What is asked for without the words: the same in a process and in what it starts for the purpose. */
  readonly forwards: readonly string[]
  /** Where to: the host of an SSH client; of others, which say it in ways of their own, all words. */
  readonly destination: string
  /** Where its connection leads, as far as the words say so. */
  readonly place: Place
  /** Of a shell: programs that hold its connection. Empty where any may. */
  readonly carriers: readonly string[]
  readonly confidence: number
  readonly evidence: readonly [Evidence, ...Evidence[]]
}

/** Processes that run with one request: the one that was asked, and what it started for the purpose. */
export interface Try {
  readonly request: TunnelRequest
  readonly intent: Intent
  readonly root: ProcessKey
  /** Those that run, with what they were when they were asked: a process may become another program. */
  readonly members: Map<ProcessKey, ProcessFacts>
  /** Of the members, those that are not the root; the next one after the last has ended is a try of its own. */
  children: number
  hadChild: boolean
}

/** What one user asks one program for, by one process or again and again; or, past a bound, all that it asks for beyond. */
export interface Intent {
  readonly subject: string
  readonly identity: string
  /** Many different requests in one. */
  readonly isJoined: boolean
  readonly firstSeenUs: Microseconds
  /** The latest. */
  request: TunnelRequest
  lastTryUs: Microseconds
  /** When one of its processes last began or ended. */
  lastRunUs: Microseconds
  /** When connections of a process were last looked through for it. */
  lookedUs: Microseconds
  /** Processes that asked, without those that another one started for the same purpose. */
  tries: number
  /** Its end was told, since its only try had ended. */
  isClosed: boolean
  readonly running: Set<Try>
  /** The process that is shown, as it was when it was asked. */
  shown: ProcessFacts
  /** Connections to the outside that its processes opened, and those of them that were made. */
  dialled: number
  connected: number
  /** The connection to the outside that goes with it. */
  outside: Connection | undefined
  /** Of joined requests: the first ones, and addresses outside that were shown. */
  readonly examples: TunnelRequest[]
  readonly shownPlaces: Set<string>
}
