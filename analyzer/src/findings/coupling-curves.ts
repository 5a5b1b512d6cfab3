/** The curves behind a finding: how much went in and came back out over time, sampled as batches come. Pure. */
import type { Attachment, CouplingEdge, CouplingPoint } from "../domain/coupling.js"
import type { Change } from "../domain/detector.js"
import type { Finding } from "../domain/finding.js"
import type { Microseconds } from "../domain/identity.js"
import type { View } from "../domain/view.js"
import { endpointText } from "../text/endpoint.js"
import { findingThresholds } from "./thresholds.js"

const limits = findingThresholds.curves

type Totals = Omit<CouplingPoint, "cookie" | "group" | "channel" | "atUs">

interface Curve {
  /** What was said last, and for when. */
  lastPoint: Totals | undefined
  lastPointUs: Microseconds
}

const nothing: Totals = { opened: 0, forwardIn: 0, forwardOut: 0, backwardIn: 0, backwardOut: 0 }

/** Watches the connections of findings, and only those: ordinary hosts have edges by the thousand. */
export class CouplingCurves {
  /** Curves by cookie of A, the first watched first. */
  readonly #watched = new Map<string, Map<string, Curve>>()
  /** Watched connections that moved since they were last sampled. */
  readonly #moved = new Set<string>()

  observe(change: Change): void {
    if (change.kind === "edge") this.#touch(change.edge.aCookie)
    else if (change.kind === "attachment") this.#touch(change.attachment.cookie)
    else if (change.kind === "connection") this.#touch(change.connection.cookie)
  }

  advance(findings: readonly Finding[], view: View, nowUs: Microseconds): readonly CouplingPoint[] {
    for (const { connection, status } of findings)
      if (status !== "suppressed" && status !== "proof") this.#watch(connection.cookie)
    const samples: CouplingPoint[] = []
    for (const cookie of this.#moved) {
      const isSettled = this.#sample(cookie, view, nowUs, samples)
      if (isSettled) this.#moved.delete(cookie)
    }
    return samples
  }

  #touch(cookie: string): void {
    if (this.#watched.has(cookie)) this.#moved.add(cookie)
  }

  #watch(cookie: string): void {
    if (cookie === "" || this.#watched.has(cookie)) return
    const oldest = this.#watched.keys().next()
    if (this.#watched.size >= limits.connections && oldest.done !== true) {
      this.#watched.delete(oldest.value)
      this.#moved.delete(oldest.value)
    }
    this.#watched.set(cookie, new Map())
    this.#moved.add(cookie)
  }

  /** False while a curve was sampled too recently: it is looked at again with the next batch. */
  #sample(cookie: string, view: View, nowUs: Microseconds, samples: CouplingPoint[]): boolean {
    const curves = this.#watched.get(cookie) ?? new Map<string, Curve>()
    let isSettled = true
    for (const { group, channel, firstUs, totals } of channels(cookie, view)) {
      const key = `${group} ${channel}`
      const curve = curves.get(key) ?? { lastPoint: undefined, lastPointUs: firstUs }
      if (curve.lastPoint !== undefined && isEqual(curve.lastPoint, totals)) continue
      if (curve.lastPoint !== undefined && nowUs < curve.lastPointUs + limits.everyUs) {
        isSettled = false
        continue
      }
      if (curve.lastPoint === undefined) {
        if (curves.size >= limits.channels) continue
        curves.set(key, curve)
        samples.push({ cookie, group, channel, atUs: Math.min(firstUs, nowUs - 1), ...nothing })
      }
      curve.lastPoint = totals
      curve.lastPointUs = nowUs
      samples.push({ cookie, group, channel, atUs: nowUs, ...totals })
    }
    return isSettled
  }
}

interface Channel {
  readonly group: string
  readonly channel: string
  readonly firstUs: Microseconds
  readonly totals: Totals
}

function channels(cookie: string, view: View): readonly Channel[] {
  const edges = view.edgesOfConnection(cookie).map((edge) => ({
    group: edge.group,
    channel: channelOf(edge),
    firstUs: edge.firstUs,
    totals: {
      opened: edge.openedAfter + edge.openedAlone,
      forwardIn: edge.forwardIn,
      forwardOut: edge.forwardOut,
      backwardIn: edge.backwardIn,
      backwardOut: edge.backwardOut,
    },
  }))
  return [...edges, ...shells(cookie, view)]
}

/** A shell has no B of its own: what it read and wrote stands for it, or the connection itself where it is the stdio. */
function shells(cookie: string, view: View): readonly Channel[] {
  const connection = view.connection(cookie)
  if (connection?.process === undefined) return []
  const { bytesReceived, bytesSent, openedUs } = connection
  const held = view.attachmentsOf(connection.process).filter((attachment) => isOf(attachment, cookie))
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
  if (bPath !== "") return bPath
  return kind === "exec" ? "a program" : endpointText(bRemote)
}

function isEqual(a: Totals, b: Totals): boolean {
  return (Object.keys(nothing) as (keyof Totals)[]).every((name) => a[name] === b[name])
}
