/** The curves behind a finding: how much went in and came back out over time, sampled as batches come. Pure. */
import type { Attachment, CouplingEdge, CouplingPoint } from "../domain/coupling.js"
import type { Change } from "../domain/detector.js"
import type { Finding } from "../domain/finding.js"
import { accountOf } from "../domain/identity.js"
import type { Microseconds } from "../domain/identity.js"
import { Portions } from "../domain/portions.js"
import type { View } from "../domain/view.js"
import { endpointText } from "../text/endpoint.js"
import { findingThresholds } from "./thresholds.js"

const limits = findingThresholds.curves

type Totals = Omit<CouplingPoint, "cookie" | "group" | "channel" | "atUs">

interface Curve {
  readonly cookie: string
  readonly group: string
  readonly channel: string
  /** What was read last, and what of earlier lives of its coupling is added to it. */
  last: Totals
  base: Totals
  lastPointUs: Microseconds
  /** What has moved since the last point. */
  pending: Totals | undefined
  /** It had a point less than `everyUs` ago. */
  isResting: boolean
}

interface WatchedConnection {
  /** Who answers for the finding. */
  readonly account: string
  /** By group and channel. */
  readonly curves: Map<string, Curve>
}

const nothing: Totals = { opened: 0, forwardIn: 0, forwardOut: 0, backwardIn: 0, backwardOut: 0 }
const totalNames = Object.keys(nothing) as readonly (keyof Totals)[]

/**
 * Watches the connections of findings, and only those: ordinary hosts have edges by the thousand. Looks at what moved, and
 * at curves whose second is over; never at all that a connection couples with.
 */
export class CouplingCurves {
  /** By cookie of A. */
  readonly #watched = new Map<string, WatchedConnection>()
  /** Who has how many of them, the first watched first. */
  readonly #portions = new Portions<string>()
  #evicted = 0
  /** Edges of watched connections, and connections themselves, that moved since the last batch. */
  #movedEdges = new Set<CouplingEdge>()
  #movedConnections = new Set<string>()
  /** Curves that had a point within the last second, in that order. */
  readonly #resting = new Set<Curve>()

  /** Connections whose curves ended early for want of room, so far. */
  get evicted(): number {
    return this.#evicted
  }

  observe(change: Change): void {
    if (change.kind === "edge") {
      if (change.previous !== undefined) this.#movedEdges.delete(change.previous)
      if (this.#watched.has(change.edge.aCookie)) this.#movedEdges.add(change.edge)
    } else if (change.kind === "attachment") this.#touch(change.attachment.cookie)
    else if (change.kind === "connection") this.#touch(change.connection.cookie)
  }

  advance(findings: readonly Finding[], view: View, nowUs: Microseconds): readonly CouplingPoint[] {
    const points: CouplingPoint[] = []
    for (const curve of this.#resting) {
      if (nowUs < curve.lastPointUs + limits.everyUs) break
      this.#resting.delete(curve)
      curve.isResting = false
      if (curve.pending !== undefined) this.#addPoint(curve, curve.pending, nowUs, points)
    }
    for (const edge of this.#movedEdges) this.#move(edge.aCookie, channelOfEdge(edge), nowUs, points)
    for (const cookie of this.#movedConnections)
      for (const channel of shells(cookie, view)) this.#move(cookie, channel, nowUs, points)
    if (this.#movedEdges.size > 0) this.#movedEdges = new Set()
    if (this.#movedConnections.size > 0) this.#movedConnections = new Set()
    for (const finding of findings) {
      const { cookie } = finding.connection
      if (finding.status === "suppressed" || finding.status === "proof" || !this.#watch(cookie, finding)) continue
      for (const channel of channels(cookie, view)) this.#move(cookie, channel, nowUs, points)
    }
    return points
  }

  #touch(cookie: string): void {
    if (this.#watched.has(cookie)) this.#movedConnections.add(cookie)
  }

  /** False where it was watched before. */
  #watch(cookie: string, { process }: Finding): boolean {
    if (cookie === "" || this.#watched.has(cookie)) return false
    if (this.#watched.size >= limits.connections) this.#evictOne()
    const account = accountOf(process)
    this.#watched.set(cookie, { account, curves: new Map() })
    this.#portions.add(account, cookie)
    return true
  }

  /** Of the account that has most. */
  #evictOne(): void {
    for (const cookie of this.#portions.keys(this.#portions.largest() ?? "")) {
      const gone = this.#watched.get(cookie)
      if (gone === undefined) continue
      this.#watched.delete(cookie)
      this.#portions.delete(gone.account, cookie)
      for (const curve of gone.curves.values()) this.#resting.delete(curve)
      this.#evicted += 1
      return
    }
  }

  #move(
    cookie: string,
    { group, channel, firstUs, totals }: Channel,
    nowUs: Microseconds,
    points: CouplingPoint[],
  ): void {
    const curves = this.#watched.get(cookie)?.curves
    if (curves === undefined) return
    const key = `${group} ${channel}`
    const known = curves.get(key)
    if (known === undefined && curves.size >= limits.channels) return
    const curve = known ?? {
      ...{ cookie, group, channel, last: nothing, base: nothing },
      ...{ lastPointUs: firstUs, pending: undefined, isResting: false },
    }
    if (known === undefined) {
      curves.set(key, curve)
      points.push({ cookie, group, channel, atUs: Math.min(firstUs, nowUs - 1), ...nothing })
    } else if (isEqual(curve.last, totals)) {
      curve.pending = undefined
      return
    }
    if (curve.isResting) curve.pending = totals
    else this.#addPoint(curve, totals, nowUs, points)
  }

  #addPoint(curve: Curve, totals: Totals, nowUs: Microseconds, points: CouplingPoint[]): void {
    const { cookie, group, channel, last, base } = curve
    // A coupling that the kernel has forgotten counts from zero when it comes back: what went through is not undone.
    if (totalNames.some((name) => totals[name] < last[name])) curve.base = sum(base, last)
    curve.last = totals
    curve.pending = undefined
    curve.lastPointUs = nowUs
    curve.isResting = true
    this.#resting.add(curve)
    points.push({ cookie, group, channel, atUs: nowUs, ...sum(curve.base, totals) })
  }
}

interface Channel {
  readonly group: string
  readonly channel: string
  readonly firstUs: Microseconds
  readonly totals: Totals
}

/** The first channels of a connection, as many as have curves. */
function channels(cookie: string, view: View): readonly Channel[] {
  const found: Channel[] = []
  for (const edge of view.edgesOfConnection(cookie)) {
    if (found.length >= limits.channels) break
    found.push(channelOfEdge(edge))
  }
  return [...found, ...shells(cookie, view)]
}

function channelOfEdge(edge: CouplingEdge): Channel {
  const { group, firstUs, openedAfter, openedAlone, forwardIn, forwardOut, backwardIn, backwardOut } = edge
  const opened = openedAfter + openedAlone
  return {
    group,
    channel: channelOf(edge),
    firstUs,
    totals: { opened, forwardIn, forwardOut, backwardIn, backwardOut },
  }
}

/** A shell has no B of its own: what it read and wrote stands for it, or the connection itself where it is the stdio. */
function shells(cookie: string, view: View): readonly Channel[] {
  const connection = view.connection(cookie)
  if (connection?.process === undefined) return []
  const { bytesReceived, bytesSent, openedUs } = connection
  const held: Attachment[] = []
  let seen = 0
  for (const attachment of view.attachmentsOf(connection.process)) {
    if (isOf(attachment, cookie)) held.push(attachment)
    seen += 1
    if (seen >= limits.channels) break
  }
  return held.map((attachment) => {
    const isStdio = attachment.kind === "stdio-socket"
    return {
      group: "",
      channel: `${attachment.kind} of ${(attachment.child ?? attachment.process).split(":")[0] ?? ""}`,
      firstUs: Math.min(openedUs, view.nowUs),
      totals: {
        opened: 1,
        forwardIn: bytesReceived,
        forwardOut: isStdio ? bytesReceived : attachment.childRead,
        backwardIn: isStdio ? bytesSent : attachment.childWritten,
        backwardOut: bytesSent,
      },
    }
  })
}

function isOf({ kind, cookie, gone }: Attachment, connection: string): boolean {
  return !gone && (kind === "stdio-socket" ? cookie === connection : kind === "pty" || kind === "pipe")
}

function channelOf({ kind, bRemote, bPath }: CouplingEdge): string {
  if (kind === "many") return "many places"
  if (bPath !== "") return bPath
  return kind === "exec" ? "a program" : endpointText(bRemote)
}

function isEqual(a: Totals, b: Totals): boolean {
  return totalNames.every((name) => a[name] === b[name])
}

function sum(a: Totals, b: Totals): Totals {
  return {
    opened: a.opened + b.opened,
    forwardIn: a.forwardIn + b.forwardIn,
    forwardOut: a.forwardOut + b.forwardOut,
    backwardIn: a.backwardIn + b.backwardIn,
    backwardOut: a.backwardOut + b.backwardOut,
  }
}
