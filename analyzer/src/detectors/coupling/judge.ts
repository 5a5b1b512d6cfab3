/** From edges of one group to a verdict: is somebody outside reaching inside through these processes? */
import { direction, framingOnTheOutside, sizeBits, type Direction } from "./conservation.js"
import type { EdgeSums } from "./edge-sums.js"
import { chanceBits, hasOrder, orderObservations } from "./order.js"
import type { Observation, ObservationName } from "./order.js"
import { couplingThresholds as limits } from "./thresholds.js"

const { verdicts } = limits

export interface Verdict {
  readonly score: number
  readonly confidence: number
  readonly reason: "ssh-client-dials-inside" | "agent-forwarding" | "bytes-exact" | "bytes-conserved" | "turns-in-order"
  readonly forward: Direction
  readonly backward: Direction
  readonly opened: number
  /** All that was weighed, in bits. */
  readonly observations: readonly Observation[]
  /** What they come to, against a program that works for itself and against coincidence: the weaker of the two. */
  readonly bits: number
}

/** Edges that are judged as one, and the verdict on them. */
export interface JudgedEdges {
  readonly verdict: Verdict
  readonly edges: EdgeSums
  /** How many places inside they lead to. */
  readonly places: number
}

/** What the bits of an observation are multiplied with, by its name: 1 where it has none, 0 where it is switched off. */
export type Factors = ReadonlyMap<string, number>

/**
 * They count, but separate nobody by themselves: whoever keeps a connection inside for what is pushed to him goes on when
 * pushed, and acknowledges; a client writes at once to what it opens, and so does a relay whose far side sends the request
 * with the opening.
 */
const untelling: ReadonlySet<string> = new Set(["prompted", "passed", "straight"] satisfies ObservationName[])

/** Undefined where the verdict would be no stronger than `above`. */
export type Judge = (edges: EdgeSums, above: number) => Verdict | undefined

const asTheyAre: Factors = new Map()

/** `factors` are for a benchmark, which shows what each observation is worth. */
export function judge(edges: EdgeSums, factors: Factors = asTheyAre, above = 0): Verdict | undefined {
  const weighed = weigh(edges, factors)
  if (weighed === undefined) return undefined
  // Who dials the port of a client's -L is joined to it by the workload, and dials for a reason of its own.
  const isOfSsh = edges.areAllOfSshClients && !edges.areAllByWorkload
  const level = (isOfSsh ? sshLevel(edges, weighed) : undefined) ?? levelOf(weighed)
  if (level === undefined || verdicts[level].score <= above) return undefined
  const { forward, backward, opened, observations, bits } = weighed
  const reason = reasonOf(level, weighed)
  return { ...verdicts[level], reason, forward, backward, opened, observations, bits }
}

type Level = keyof typeof verdicts

export interface Weighed extends Omit<Verdict, "score" | "confidence" | "reason"> {
  readonly isSeenBothWays: boolean
  readonly isNotable: boolean
  /** B was opened after A spoke, or somebody was seen to wait for somebody. */
  readonly isDialled: boolean
}

/** All that speaks for and against, before any limit; nothing where nothing was written inside. */
export function weigh(edges: EdgeSums, factors: Factors = asTheyAre): Weighed | undefined {
  const forward = direction(edges.forward)
  if (forward.n === 0) return undefined
  const backward = direction(edges.backward)
  const factor = (name: string): number => factors.get(name) ?? 1
  const weighed = (one: Observation): Observation =>
    factors.size === 0 ? one : { ...one, bits: one.bits * factor(one.name) }
  const inward = weighed({ name: "forwardSizes", bits: sizeBits(forward, -1) })
  const outward = weighed({ name: "backwardSizes", bits: sizeBits(backward, 1) })
  const order = hasOrder(edges.order) ? orderObservations(edges.order, edges.openedAlone).map(weighed) : []
  const chance: Observation = { name: "chance", bits: chanceBits(edges.order, edges.opened) }
  // Coincidence only takes away: its factor is of how much it takes.
  const orderBits = sum(order) + factor("chance") * Math.min(0, chance.bits - sum(order))
  const join = weighed({ name: "joinedByWorkload", bits: edges.areAllByWorkload ? limits.joinedByWorkloadBits : 0 })
  const bits = inward.bits + outward.bits + orderBits + join.bits
  const { withoutOrderBits, strong, turnsOfClosing, ...each } = limits.bothWays
  const reach = (min: { readonly forward: number; readonly backward: number }) =>
    inward.bits >= min.forward && outward.bits >= min.backward
  // Who keeps a connection inside for what is pushed to him closes it once he hears no more.
  const isOpenedAfter = edges.opened + edges.order.openedLate > 0
  const isKept = !isOpenedAfter || edges.order.prompted > turnsOfClosing * edges.order.closedAfter
  const telling = order.filter(({ name }) => !untelling.has(name) && !(isKept && name === "closedAfter"))
  const isOrdered = Math.min(sum(telling), orderBits) >= withoutOrderBits
  // Time is what joins the processes of a workload: where it speaks against it, like sizes have no common cause.
  const isJoined = !edges.areAllByWorkload || factor("chance") === 0 || chance.bits > 0
  const isSeenBothWays = isJoined && (isOrdered || reach(each) || (bits >= strong.bits && reach(strong)))
  const isNotable = isOrdered || reach({ forward: 0, backward: 0 })
  const observations = [inward, outward, ...order, chance, join]
  const isDialled = isOpenedAfter || sum(telling) > 0
  return { forward, backward, opened: edges.opened, observations, bits, isSeenBothWays, isNotable, isDialled }
}

function sum(observations: readonly Observation[]): number {
  return observations.reduce((total, { bits }) => total + bits, 0)
}

/**
 * A process that speaks SSH as the client on A has no reason of its own to dial inside after A spoke: -L, -D, -J and -W
 * accept or use what is there. So the dial is enough, compression or not.
 */
function sshLevel(edges: EdgeSums, { forward, backward, opened }: Weighed): Level | undefined {
  if (backward.n === 0) return undefined
  if (edges.areAllAgents) return "agentForwarding"
  if (edges.areAllUnix) return "sshUnixSocket"
  // The far side of a forwarding sends once it knows that the channel is open (RFC 4254 7.2): a program with SSH as a library
  // that asks at once is a client inside for itself.
  if (opened === 0 || edges.order.straight > edges.order.waited) return undefined
  if (framingOnTheOutside(forward, backward)) return "sshDialsInside"
  return edges.hasEarly && opened <= limits.loginDials ? "sshDialsAtLogin" : "sshDialsInsideCompressed"
}

const levels = ["certain", "high", "medium", "note"] as const

function levelOf(weighed: Weighed): Level | undefined {
  const { forward, backward, bits, isSeenBothWays, isNotable, isDialled } = weighed
  if (!isDialled) {
    const turns = Math.min(forward.n, backward.n)
    const isExact = forward.exact && backward.exact
    if (turns < (isExact ? limits.keptOpen.exactTurns : limits.keptOpen.minTurns)) return undefined
  }
  const from = isDialled ? limits.verdictBits : limits.keptOpen
  return levels.find((level) => bits >= from[level] && (level === "note" ? isNotable : isSeenBothWays))
}

/** Without SSH what weighs more: sizes, or who waited for whom. */
function reasonOf(level: Level, { forward, backward, observations }: Weighed): Verdict["reason"] {
  if (level === "agentForwarding") return "agent-forwarding"
  if (level.startsWith("ssh")) return "ssh-client-dials-inside"
  if (forward.exact && backward.exact) return "bytes-exact"
  const isSize = ({ name }: Observation) => name === "forwardSizes" || name === "backwardSizes"
  const sizes = sum(observations.filter(isSize))
  const order = sum(observations.filter((one) => !isSize(one) && one.name !== "chance"))
  return sizes >= order ? "bytes-conserved" : "turns-in-order"
}
