import type { Batch } from "../domain/batch.js"
import type { Connection, ConnectionUpdate } from "../domain/connection.js"
import type { Attachment, CouplingEdge } from "../domain/coupling.js"
import type { Change } from "../domain/detector.js"
import { evictedBy } from "../domain/evicted.js"
import type { Evicted, EvictedKind } from "../domain/evicted.js"
import { accountOf } from "../domain/identity.js"
import type { HostFacts, Microseconds, ProcessFacts, ProcessKey } from "../domain/identity.js"
import { lostSince, totalLost } from "../domain/lost.js"
import type { Lost } from "../domain/lost.js"
import type { Networks } from "../domain/networks.js"
import type { ConnectionRow } from "../domain/output.js"
import type { View } from "../domain/view.js"
import { ConnectionTable } from "./connection-table.js"
import { AttachmentTable } from "./attachment-table.js"
import { EdgeTable } from "./coupling-table.js"
import { Examination } from "./examination.js"
import type { TrackerLimits } from "./limits.js"
import { merge, vanishing } from "./merge.js"
import { mirrorOf } from "./mirrors.js"
import { ProcessTable } from "./process-table.js"

/** What the tracker holds, and what it gave up for lack of room so far. */
export interface TrackerCounts {
  readonly liveConnections: number
  readonly processes: number
  readonly evicted: Evicted
}

/** Of what the tracker gives up, the kinds that hide what a process does. */
const hidingKinds = ["connection", "process", "edge", "attachment"] as const satisfies readonly EvictedKind[]

/** The state of one host in one boot. Batches go in, changes come out, one after the other and in a fixed order. */
export class HostTracker implements View {
  readonly networks: Networks
  #host: HostFacts
  #nowUs: Microseconds = 0
  readonly #limits: TrackerLimits
  readonly #connections: ConnectionTable
  readonly #processes: ProcessTable
  readonly #edges: EdgeTable
  readonly #attachments: AttachmentTable
  readonly #examination: Examination
  /** Rows by cookie: a connection that moves twice within a batch makes one row. */
  #rows = new Map<string, ConnectionRow>()
  /** Cookies named by the parts of a snapshot so far, and when its first part was taken. */
  #snapshot: { readonly takenUs: Microseconds; readonly cookies: Set<string> } | undefined
  /** Live connections that a snapshot did not name, and when. */
  readonly #missing = new Map<string, Microseconds>()
  #datagramsCheckedUs: Microseconds = 0
  /** Totals of the last batch; undefined before the first one of an instance, whose totals tell of times before it. */
  #lost: Lost | undefined
  #evicted = 0

  constructor(host: HostFacts, networks: Networks, limits: TrackerLimits) {
    this.#host = host
    this.networks = networks
    this.#limits = limits
    const accountOfKey = (key: ProcessKey | undefined) => {
      const facts = key === undefined ? undefined : this.#processes.get(key)
      return facts === undefined ? `process ${key ?? "unknown"}` : accountOf(facts)
    }
    this.#connections = new ConnectionTable(
      limits,
      accountOfKey,
      ({ initiator, remote, route }) => initiator !== "remote" && networks.isOutside(remote.address, route),
    )
    this.#processes = new ProcessTable(limits)
    this.#edges = new EdgeTable(limits, accountOfKey)
    this.#attachments = new AttachmentTable(limits, accountOfKey)
    this.#examination = new Examination(limits)
  }

  get host(): HostFacts {
    return this.#host
  }

  get nowUs(): Microseconds {
    return this.#nowUs
  }

  get counts(): TrackerCounts {
    return {
      liveConnections: this.#connections.size,
      processes: this.#processes.size,
      evicted: evictedBy({
        connection: this.#connections.evicted,
        closedConnection: this.#connections.evictedClosed,
        process: this.#processes.evicted,
        edge: this.#edges.evicted,
        attachment: this.#attachments.evicted,
        unexaminedProcess: this.#examination.deferred,
      }),
    }
  }

  /** A collector says Hello. One that started anew counts edges from zero and names processes and attachments again. */
  greet(host: HostFacts): void {
    if (host.instance !== this.#host.instance) {
      this.#processes.endAll(this.#nowUs)
      this.#edges.clear()
      this.#attachments.clear()
      this.#snapshot = undefined
      this.#lost = undefined
    }
    this.#host = host
  }

  /** Changes of one batch. The state moves on as they are taken: a taker sees each change in the view, and no later one. */
  *apply(batch: Batch): Generator<Change> {
    this.#nowUs = Math.max(this.#nowUs, batch.observedUs)
    yield* this.learn(batch.processes)
    for (const update of batch.connections) yield* this.#update(update, batch.snapshot)
    for (const edge of batch.edges) {
      const stored = this.#edges.put(edge)
      yield* this.#tellGone()
      yield* this.#examine(edge.aProcess, edge.bProcess)
      if (stored !== undefined) yield { kind: "edge", ...stored }
    }
    for (const attachment of batch.attachments) {
      const stored = this.#attachments.put(attachment)
      yield* this.#examine(attachment.process, attachment.child)
      if (stored !== false) yield { kind: "attachment", attachment, previous: stored.previous }
    }
    for (const used of batch.tunnelUses) yield { kind: "tunnel-use", used }
    for (const forward of batch.tunnelForwards) yield { kind: "tunnel-forward", forward }
    for (const overload of batch.overloads) yield { kind: "overload", overload }
    yield* this.#lose(batch.lost)
    for (const proof of batch.proofs) yield { kind: "proof", proof }
    for (const process of batch.exited) yield* this.#exit(process)
    if (batch.snapshot) this.#reconcile(batch)
    if (this.#missing.size > 0) yield* this.#closeMissing()
    this.#expire()
    yield* this.#tellGone()
    yield* this.#expireDatagrams()
  }

  *learn(processes: readonly ProcessFacts[]): Generator<Change> {
    yield* this.#tellGone()
    for (const facts of processes) {
      const previous = this.#processes.get(facts.key)
      const learnt = this.#processes.learn(facts)
      if (this.#examination.admit(learnt, previous, this.#nowUs)) yield { kind: "process", facts: learnt, previous }
    }
  }

  /** Closes everything: the host is gone, or its boot is. */
  *vanish(): Generator<Change> {
    for (const connection of [...this.#connections.live()]) yield this.#close(connection, this.#nowUs)
  }

  /** Rows since the last call, in the order in which their connections first changed. */
  takeRows(): ConnectionRow[] {
    const rows = [...this.#rows.values()]
    this.#rows = new Map()
    return rows
  }

  connection(cookie: string): Connection | undefined {
    return this.#connections.get(cookie)
  }
  connectionsOf(process: ProcessKey): Iterable<Connection> {
    return this.#connections.ofProcess(process)
  }
  isConnected(process: ProcessKey, address: string): boolean {
    return this.#connections.isConnected(process, address)
  }
  liveConnections(): Iterable<Connection> {
    return this.#connections.live()
  }
  mirrorOf(connection: Connection): Connection | undefined {
    return mirrorOf(connection, this.#attachments, this.#connections)
  }
  process(key: ProcessKey): ProcessFacts | undefined {
    return this.#processes.get(key)
  }
  ancestors(key: ProcessKey): readonly ProcessFacts[] {
    return this.#processes.ancestors(key)
  }
  childrenOf(key: ProcessKey): Iterable<ProcessKey> {
    return this.#processes.childrenOf(key)
  }
  edgesOf(group: string): readonly CouplingEdge[] {
    return this.#edges.ofGroup(group)
  }
  edgesOfConnection(cookie: string): Iterable<CouplingEdge> {
    return this.#edges.ofConnection(cookie)
  }
  attachmentsOf(process: ProcessKey): Iterable<Attachment> {
    return this.#attachments.ofProcess(process)
  }

  *#tellGone(): Generator<Change> {
    for (const edge of this.#edges.takeGone()) yield { kind: "edge-gone", edge }
  }

  /** Of processes that have to do with a connection, the programs that no detector has seen yet. */
  *#examine(...processes: readonly (ProcessKey | undefined)[]): Generator<Change> {
    for (const [key, previous] of this.#examination.take(...processes)) {
      const facts = this.#processes.get(key)
      if (facts !== undefined) yield { kind: "process", facts, previous }
    }
  }

  *#update(update: ConnectionUpdate, snapshot: boolean): Generator<Change> {
    const previous = this.#connections.get(update.cookie)
    const connection = merge(previous, update)
    if (connection === undefined) return
    this.#connections.put(connection)
    this.#missing.delete(update.cookie)
    yield* this.#examine(connection.process)
    // A snapshot repeats what is known: only what it adds is worth a row.
    const isNews = !snapshot || previous === undefined || connection.lastMovedUs > previous.lastMovedUs
    if (isNews || connection.process !== previous.process) this.#addRow(update.reason, connection)
    yield { kind: "connection", update, connection, previous }
  }

  *#lose(totals: Lost): Generator<Change> {
    const { evicted: byKind } = this.counts
    const allEvicted = hidingKinds.reduce((sum, kind) => sum + byKind[kind], 0)
    const lost = lostSince(this.#lost ?? totals, totals)
    const evicted = Math.max(0, allEvicted - this.#evicted)
    this.#lost = totals
    this.#evicted = allEvicted
    if (evicted > 0 || totalLost(lost) > 0) yield { kind: "lost", lost, evicted }
  }

  *#exit(process: ProcessKey): Generator<Change> {
    for (const held of [...this.#attachments.ofProcess(process)]) {
      const attachment = { ...held, gone: true, observedUs: Math.max(held.observedUs, this.#nowUs) }
      this.#attachments.put(attachment)
      yield { kind: "attachment", attachment, previous: held }
    }
    this.#processes.end(process, this.#nowUs)
    this.#examination.forget(process)
    yield { kind: "exit", process, facts: this.#processes.get(process) }
  }

  /**
   * What lived before a snapshot and is not in it is missing. Its end may be on the way: the collector learnt of it
   * before the snapshot was taken, and comes in a batch behind it. UDP sockets may be missing from a snapshot.
   */
  #reconcile({ observedUs, connections, more }: Batch): void {
    const snapshot = (this.#snapshot ??= { takenUs: observedUs, cookies: new Set() })
    for (const { cookie } of connections) snapshot.cookies.add(cookie)
    if (more) return
    this.#snapshot = undefined
    for (const { cookie, protocol, observedUs: seenUs } of this.#connections.live())
      if (protocol === "tcp" && seenUs < snapshot.takenUs && !snapshot.cookies.has(cookie))
        this.#missing.set(cookie, snapshot.takenUs)
  }

  *#closeMissing(): Generator<Change> {
    for (const [cookie, missedUs] of this.#missing) {
      if (missedUs + this.#limits.missingUs > this.#nowUs) continue
      this.#missing.delete(cookie)
      const connection = this.#connections.get(cookie)
      if (connection !== undefined && connection.closed === undefined) yield this.#close(connection, missedUs)
    }
  }

  *#expireDatagrams(): Generator<Change> {
    const silentSinceUs = this.#nowUs - this.#limits.silentDatagramsUs
    if (this.#nowUs < this.#datagramsCheckedUs + this.#limits.datagramCheckUs) return
    this.#datagramsCheckedUs = this.#nowUs
    const silent = this.#connections.silentDatagrams(silentSinceUs)
    for (const connection of silent) yield this.#close(connection, connection.observedUs)
  }

  #close(live: Connection, atUs: Microseconds): Change {
    const { update, connection } = vanishing(live, atUs)
    this.#connections.put(connection)
    this.#addRow("closed", connection)
    return { kind: "connection", update, connection, previous: live }
  }

  /** The store has no column value for ICMP: findings tell of it. */
  #addRow(reason: ConnectionRow["reason"], connection: Connection): void {
    if (connection.protocol === "icmp") return
    const facts = connection.process === undefined ? undefined : this.#processes.get(connection.process)
    const outside = this.networks.isOutside(connection.remote.address, connection.route)
    this.#rows.set(connection.cookie, { reason, connection, process: facts, outside })
  }

  #expire(): void {
    this.#connections.expire(this.#nowUs)
    this.#processes.expire(this.#nowUs)
    this.#edges.expire(this.#nowUs)
  }
}
