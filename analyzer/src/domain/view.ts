import type { Connection } from "./connection.js"
import type { Attachment, CouplingEdge } from "./coupling.js"
import type { HostFacts, Microseconds, ProcessFacts, ProcessKey } from "./identity.js"
import type { Networks } from "./networks.js"

/** What a detector may look at: the state of one host in one boot, after the update it is told of. Nothing here changes. */
export interface View {
  readonly host: HostFacts
  readonly networks: Networks
  /** Event time: the latest moment seen of this host. */
  readonly nowUs: Microseconds

  /** Live, or closed less than a minute ago. */
  connection(cookie: string): Connection | undefined
  /** Live connections that the process owns now. */
  connectionsOf(process: ProcessKey): Iterable<Connection>
  /** The process owns a live connection to the address that was not opened from there. */
  isConnected(process: ProcessKey, address: string): boolean
  liveConnections(): Iterable<Connection>
  /**
   * The same connection as who asked for it has it: its owner is a user-mode network (slirp4netns, pasta), which holds a tun
   * or tap device of another network namespace, and a process there opened one to the same place at the same time.
   */
  mirrorOf(connection: Connection): Connection | undefined

  /** Running, or ended less than ten minutes ago, or an ancestor of one that runs. */
  process(key: ProcessKey): ProcessFacts | undefined
  /** Nearest first, at most 8, without the process itself. */
  ancestors(key: ProcessKey): readonly ProcessFacts[]
  childrenOf(key: ProcessKey): Iterable<ProcessKey>

  edgesOf(group: string): readonly CouplingEdge[]
  /** Edges whose A was last spoken on by this socket. */
  edgesOfConnection(cookie: string): Iterable<CouplingEdge>
  /** Present attachments that the process holds, or in which it is the child. */
  attachmentsOf(process: ProcessKey): Iterable<Attachment>
}
