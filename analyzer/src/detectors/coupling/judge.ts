/** From edges of one group to a verdict: is somebody outside reaching inside through these processes? */
import type { CouplingEdge } from "../../domain/coupling.js"
import { direction, framingOnTheOutside, sumMoments, withOpenTurn, type Direction } from "./conservation.js"
import { couplingThresholds as limits } from "./thresholds.js"

const { verdicts } = limits

/** What the SSH parser and the process say about A. */
export interface OutsideRole {
  readonly sshClient: boolean
  readonly openedUs: number
}

export interface Verdict {
  readonly score: number
  readonly confidence: number
  readonly reason: "ssh-client-dials-inside" | "bytes-exact" | "bytes-conserved" | "sizes-alike" | "agent-forwarding"
  readonly forward: Direction
  readonly backward: Direction
  readonly opened: number
}

/** Edges that are judged as one, and the verdict on them. */
export interface JudgedEdges {
  readonly verdict: Verdict
  readonly edges: readonly [CouplingEdge, ...CouplingEdge[]]
}

/** Edges that are judged as one: each alone, all to one B, and all of the group (several channels at once). */
export function hypotheses(edges: readonly CouplingEdge[]): readonly (readonly CouplingEdge[])[] {
  const byB = new Map<string, CouplingEdge[]>()
  for (const edge of edges) {
    const b = `${edge.kind} ${edge.bRemote.address} ${edge.bRemote.port} ${edge.bPath}`
    const list = byB.get(b)
    if (list) list.push(edge)
    else byB.set(b, [edge])
  }
  const merged = [...byB.values()].filter((list) => list.length > 1)
  return [...edges.map((edge) => [edge]), ...merged, ...(edges.length > 1 ? [edges] : [])]
}

export function judge(
  edges: readonly CouplingEdge[],
  roleOf: (edge: CouplingEdge) => OutsideRole,
): Verdict | undefined {
  const forward = direction(sumMoments(edges.map((e) => withOpenTurn(e.forward, e.openForward))))
  const backward = direction(sumMoments(edges.map((e) => withOpenTurn(e.backward, e.openBackward))))
  const opened = edges.reduce((sum, e) => sum + e.openedAfter, 0)
  const found = { forward, backward, opened }
  if (forward.n === 0 || backward.n === 0) return undefined
  const ordered = framingOnTheOutside(forward, backward, limits.slack)
  const ssh = sshVerdict(edges, roleOf, found, ordered)
  if (ssh) return ssh
  if (!ordered) return undefined
  return opened > 0 ? dialledVerdict(found) : keptOpenVerdict(found)
}

type Found = Pick<Verdict, "forward" | "backward" | "opened">

/**
 * A process that speaks SSH as the client on A has no reason of its own to dial inside after A spoke: -L, -D, -J and -W
 * accept or use what is there. So the dial is enough, compression or not.
 */
function sshVerdict(
  edges: readonly CouplingEdge[],
  roleOf: (edge: CouplingEdge) => OutsideRole,
  found: Found,
  ordered: boolean,
): Verdict | undefined {
  if (!edges.every((edge) => roleOf(edge).sshClient)) return undefined
  const reason = "ssh-client-dials-inside"
  if (edges.every((edge) => edge.kind === "unix")) {
    return edges.every((edge) => limits.agentOrDisplay.test(edge.bPath))
      ? { ...found, ...verdicts.agentForwarding, reason: "agent-forwarding" }
      : { ...found, ...verdicts.sshUnixSocket, reason }
  }
  if (found.opened === 0) return undefined
  const first = Math.min(...edges.map((edge) => edge.firstUs - roleOf(edge).openedUs))
  const atLogin = first < limits.loginUs && found.opened <= limits.loginDials
  if (ordered) return { ...found, ...verdicts.sshDialsInside, reason }
  return { ...found, ...(atLogin ? verdicts.sshDialsAtLogin : verdicts.sshDialsInsideCompressed), reason }
}

function dialledVerdict(found: Found): Verdict | undefined {
  const { forward, backward } = found
  if (forward.exact && backward.exact) return { ...found, ...verdicts.bytesExact, reason: "bytes-exact" }
  const near = forward.levelBits >= limits.minLevelBits && backward.levelBits >= limits.minLevelBits
  if (near && variesTogether(found, limits.variationBits, limits.minVariationBits)) {
    return { ...found, ...verdicts.bytesConserved, reason: "bytes-conserved" }
  }
  const alike = Math.min(forward.levelBits, backward.levelBits) >= limits.suspiciousLevelBits
  const apart = Math.min(forward.variationBits, backward.variationBits) < 0
  return alike && !apart ? { ...found, ...verdicts.sizesAlike, reason: "sizes-alike" } : undefined
}

function keptOpenVerdict(found: Found): Verdict | undefined {
  const { forward, backward } = found
  const turns = Math.min(forward.n, backward.n)
  if (forward.exact && backward.exact && turns >= limits.keptOpenExactTurns) {
    return { ...found, ...verdicts.keptOpenExact, reason: "bytes-exact" }
  }
  if (turns < limits.keptOpenMinTurns) return undefined
  return variesTogether(found, limits.keptOpenVariationBits, limits.keptOpenMinVariationBits)
    ? { ...found, ...verdicts.keptOpenConserved, reason: "bytes-conserved" }
    : undefined
}

function variesTogether({ forward, backward }: Found, sum: number, each: number): boolean {
  return (
    forward.variationBits >= each &&
    backward.variationBits >= each &&
    forward.variationBits + backward.variationBits >= sum
  )
}
