/**
 * What is known of edges that are judged as one, as running sums: an edge that changes is taken away as it was and added
 * as it is, and no other edge is looked at.
 */
import type { CouplingEdge, Moments, TurnOrder } from "../../domain/coupling.js"
import type { Microseconds, ProcessFacts } from "../../domain/identity.js"
import { isAgentOrDisplay, isDisplayPort, isForwardedAgent } from "../ssh-client/sockets.js"
import { forwardsDisplay } from "../ssh-client/use.js"
import { withOpenTurn } from "../../domain/moments.js"
import { noTurnOrder, tallyTurnOrder } from "../../domain/turn-order.js"
import type { TurnOrderSums } from "../../domain/turn-order.js"
import { MomentSums } from "./moment-sums.js"
import { couplingThresholds as limits } from "./thresholds.js"

/** What the SSH parser and the process say about A. */
export interface OutsideRole {
  readonly sshClient: boolean
  readonly openedUs: Microseconds
  /** Who held A when its role was learnt. */
  readonly owner?: ProcessFacts | undefined
}

export class EdgeSums {
  readonly #forward = new MomentSums()
  readonly #backward = new MomentSums()
  readonly #order: TurnOrderSums = { ...noTurnOrder }
  #count = 0
  #opened = 0
  #openedAlone = 0
  /** How many of the edges are so. */
  #ofSshClients = 0
  #early = 0
  #unix = 0
  #agents = 0
  #many = 0
  #byWorkload = 0
  #firstUs = Number.POSITIVE_INFINITY
  #newest: CouplingEdge
  /** Those that were dialled most, at most `shownEdges`: what a person is shown of them. */
  #shown: CouplingEdge[] = []

  constructor(first: CouplingEdge, role: OutsideRole) {
    this.#newest = first
    this.add(first, role)
  }

  get count(): number {
    return this.#count
  }
  /** How often B was opened right after A spoke. */
  get opened(): number {
    return this.#opened
  }
  /** How often B was opened with A silent. */
  get openedAlone(): number {
    return this.#openedAlone
  }
  get order(): TurnOrder {
    return this.#order
  }
  get forward(): Moments {
    return this.#forward.moments
  }
  get backward(): Moments {
    return this.#backward.moments
  }
  get areAllOfSshClients(): boolean {
    return this.#ofSshClients === this.#count
  }
  get areAllUnix(): boolean {
    return this.#unix === this.#count
  }
  get areAllAgents(): boolean {
    return this.#agents === this.#count
  }
  /** Nothing but the workload joins who holds A to who uses B. */
  get areAllByWorkload(): boolean {
    return this.#byWorkload === this.#count
  }
  /** Some stand for many places. */
  get hasMany(): boolean {
    return this.#many > 0
  }
  /** Some began while A may still have been logging in. */
  get hasEarly(): boolean {
    return this.#early > 0
  }
  /** The first use ever, of edges that have left included. */
  get firstUs(): Microseconds {
    return this.#firstUs
  }
  get newest(): CouplingEdge {
    return this.#newest
  }
  get shown(): readonly CouplingEdge[] {
    return this.#shown.length > 0 ? this.#shown : [this.#newest]
  }

  add(edge: CouplingEdge, role: OutsideRole): void {
    this.#tally(edge, role, 1)
    this.#firstUs = Math.min(this.#firstUs, edge.firstUs)
    if (edge.lastUs >= this.#newest.lastUs) this.#newest = edge
    const place = this.#shown.findIndex((other) => isShownBefore(edge, other))
    if (place >= 0) this.#shown.splice(place, 0, edge)
    else if (this.#shown.length < limits.shownEdges) this.#shown.push(edge)
    if (this.#shown.length > limits.shownEdges) this.#shown.pop()
  }

  /** A version of an edge takes the place of another, also of the only one. */
  replace(previous: CouplingEdge, before: OutsideRole, edge: CouplingEdge, after: OutsideRole): void {
    this.remove(previous, before)
    this.add(edge, after)
  }

  /** Takes away what was added for the same role. */
  remove(edge: CouplingEdge, role: OutsideRole): void {
    this.#tally(edge, role, -1)
    const place = this.#shown.indexOf(edge)
    if (place >= 0) this.#shown.splice(place, 1)
  }

  #tally(edge: CouplingEdge, role: OutsideRole, sign: 1 | -1): void {
    const { sshClient, openedUs } = role
    this.#forward.add(withOpenTurn(edge.forward, edge.openForward), sign)
    this.#backward.add(withOpenTurn(edge.backward, edge.openBackward), sign)
    this.#count += sign
    this.#opened += sign * edge.openedAfter
    this.#openedAlone += sign * edge.openedAlone
    tallyTurnOrder(this.#order, edge.order, sign)
    if (sshClient) this.#ofSshClients += sign
    if (edge.firstUs - openedUs < limits.loginUs) this.#early += sign
    if (edge.kind === "many") this.#many += sign
    if (edge.joinedBy === "workload") this.#byWorkload += sign
    if (edge.kind === "unix") this.#unix += sign
    if (isWhatSshForwards(edge, role)) this.#agents += sign
  }
}

/** The agent or the display of this host, which -A and -X let the far side use. */
function isWhatSshForwards({ kind, bPath, bRemote }: CouplingEdge, { owner }: OutsideRole): boolean {
  if (kind === "unix") return isAgentOrDisplay(bPath) || (owner !== undefined && isForwardedAgent(bPath, owner))
  return kind === "tcp" && isDisplayPort(bRemote.port) && owner !== undefined && forwardsDisplay(owner)
}

function isShownBefore(a: CouplingEdge, b: CouplingEdge): boolean {
  return a.openedAfter > b.openedAfter || (a.openedAfter === b.openedAfter && a.lastUs > b.lastUs)
}
