/** The outside connections that edges have as A: which of them SSH clients hold, and the edges of each. */
import type { Connection } from "../../domain/connection.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import type { ProcessFacts, ProcessKey } from "../../domain/identity.js"
import { KeyedSets } from "../../domain/keyed-sets.js"
import type { View } from "../../domain/view.js"
import { isSshClient, isSshClientByName } from "../ssh-client/programs.js"
import type { OutsideRole } from "./edge-sums.js"

interface OutsideEnd {
  readonly edges: Set<CouplingEdge>
  /** The owner under which it waits for a name. */
  owner: ProcessKey | undefined
  /** Its program was an SSH client by name once: the connection stays what it is in other hands. */
  byName: boolean
  /** As its edges were counted with it. */
  role: OutsideRole
}

/** The edges of one connection that count differently from now on. */
export interface RoleChange {
  readonly edges: ReadonlySet<CouplingEdge>
  readonly before: OutsideRole
  readonly after: OutsideRole
}

/** By cookie, while an edge has it as A. A role changes three times at most: no sequence of records makes it cost more. */
export class OutsideEnds {
  readonly #ends = new Map<string, OutsideEnd>()
  /** Cookies by owner, of ends that no name has made SSH clients. */
  readonly #unnamed = new KeyedSets<ProcessKey, string>()

  /** The role with which the edge was counted. */
  roleOf(edge: CouplingEdge): OutsideRole {
    return this.#ends.get(edge.aCookie)?.role ?? unknownRole(edge)
  }

  hold(edge: CouplingEdge, view: View): OutsideRole {
    const known = this.#ends.get(edge.aCookie)
    if (known !== undefined) {
      known.edges.add(edge)
      return known.role
    }
    const end: OutsideEnd = { edges: new Set([edge]), owner: undefined, byName: false, role: unknownRole(edge) }
    this.#ends.set(edge.aCookie, end)
    const a = view.connection(edge.aCookie)
    if (a !== undefined) this.#learn(end, a, view)
    return end.role
  }

  release(edge: CouplingEdge): void {
    const end = this.#ends.get(edge.aCookie)
    if (end?.edges.delete(edge) !== true || end.edges.size > 0) return
    this.#ends.delete(edge.aCookie)
    if (end.owner !== undefined) this.#unnamed.delete(end.owner, edge.aCookie)
  }

  /** What a connection that moved on means for its edges; nothing for most. */
  reconsider(connection: Connection, view: View): RoleChange | undefined {
    const end = this.#ends.get(connection.cookie)
    if (end === undefined) return undefined
    const before = end.role
    this.#learn(end, connection, view)
    return end.role.sshClient === before.sshClient ? undefined : { edges: end.edges, before, after: end.role }
  }

  /** What the name of a program means for the edges of the connections that it owns: each is named once. */
  rename(facts: ProcessFacts, view: View): readonly RoleChange[] {
    if (!isSshClient(facts) || !this.#unnamed.has(facts.key)) return []
    return this.#unnamed.get(facts.key).flatMap((cookie) => {
      const connection = view.connection(cookie)
      return (connection && this.reconsider(connection, view)) ?? []
    })
  }

  /** When it was opened stays as it was when the role changed last: edges were counted with it. */
  #learn(end: OutsideEnd, connection: Connection, view: View): void {
    const { cookie, process, ssh, openedUs, olderThanCollector } = connection
    const facts = process === undefined ? undefined : view.process(process)
    end.byName ||= isSshClientByName(connection, facts)
    const owner = end.byName || !olderThanCollector ? undefined : process
    if (owner !== end.owner) {
      if (end.owner !== undefined) this.#unnamed.delete(end.owner, cookie)
      if (owner !== undefined) this.#unnamed.add(owner, cookie)
      end.owner = owner
    }
    const seen = ssh.localClient || (ssh.localIdent && ssh.remoteIdent && !ssh.remoteClient)
    const sshClient = seen || end.byName
    if (sshClient !== end.role.sshClient) end.role = { sshClient, openedUs, owner: facts }
  }
}

function unknownRole({ firstUs }: CouplingEdge): OutsideRole {
  return { sshClient: false, openedUs: firstUs }
}
