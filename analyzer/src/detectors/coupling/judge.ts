/** From edges of one group to a verdict: is somebody outside reaching inside through these processes? */
import { direction, framingOnTheOutside, type Direction } from "./conservation.js"
import type { EdgeSums } from "./edge-sums.js"
import { couplingThresholds as limits } from "./thresholds.js"

const { verdicts } = limits

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
  readonly edges: EdgeSums
  /** How many places inside they lead to. */
  readonly places: number
}

export function judge(edges: EdgeSums): Verdict | undefined {
  const forward = direction(edges.forward)
  const backward = direction(edges.backward)
  const found = { forward, backward, opened: edges.opened }
  if (forward.n === 0 || backward.n === 0) return undefined
  const ordered = framingOnTheOutside(forward, backward, limits.slack)
  const ssh = sshVerdict(edges, found, ordered)
  if (ssh) return ssh
  if (!ordered) return undefined
  return edges.opened > 0 ? dialledVerdict(found) : keptOpenVerdict(found)
}

type Found = Pick<Verdict, "forward" | "backward" | "opened">

/**
 * A process that speaks SSH as the client on A has no reason of its own to dial inside after A spoke: -L, -D, -J and -W
 * accept or use what is there. So the dial is enough, compression or not.
 */
function sshVerdict(edges: EdgeSums, found: Found, ordered: boolean): Verdict | undefined {
  if (!edges.areAllOfSshClients) return undefined
  const reason = "ssh-client-dials-inside"
  if (edges.areAllUnix) {
    return edges.areAllAgents
      ? { ...found, ...verdicts.agentForwarding, reason: "agent-forwarding" }
      : { ...found, ...verdicts.sshUnixSocket, reason }
  }
  if (found.opened === 0) return undefined
  const atLogin = edges.hasEarly && found.opened <= limits.loginDials
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
