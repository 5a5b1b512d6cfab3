import type { Connection } from "../../domain/connection.js"
import type { Evidence } from "../../domain/finding.js"
import type { ProcessKey } from "../../domain/identity.js"

export interface TunnelRequest {
  /** What the tunnel or shell would be made with: "ssh", "chisel". */
  readonly tool: string
  readonly kind: "remote-forward" | "tun" | "tool" | "shell"
  /** The words that ask for it. */
  readonly spellings: readonly string[]
  /** What is asked for without the words: the same in a process and in what it starts for the purpose. */
  readonly forwards: readonly string[]
  readonly confidence: number
  readonly evidence: readonly [Evidence, ...Evidence[]]
}

/** What one process, and those that it started with the same words, were asked for. */
export interface Intent {
  readonly subject: ProcessKey
  readonly request: TunnelRequest
  readonly firstSeenUs: number
  /** Processes with these words, in the order in which they were seen. */
  readonly members: Set<ProcessKey>
  /** The connection to the outside that goes with it. */
  readonly outside: Connection | undefined
}
