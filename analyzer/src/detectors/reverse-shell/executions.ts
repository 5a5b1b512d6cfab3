/**
 * Whether the programs that a group executes are what the far side of A asks for: pure functions over one edge of kind "exec".
 * Evidence is in bits: log2 of how much likelier the numbers are where commands come in on A than where A only happens to
 * speak meanwhile. Causality alone says "driven from outside", which runners of jobs and agents are too; that what comes in
 * is the command, and what leaves is its output, says that nothing stands between the far side and this host.
 */
import type { CouplingEdge, Executions, Moments } from "../../domain/coupling.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

const { executions: weights } = limits

export interface ExecutionBits {
  /** Programs begin right after A spoke, compared with how much of the time is right after A spoke. */
  readonly timing: number
  /** What came in is as long as the command but for a constant. */
  readonly commands: number
  /** What left is as long as the output but for a constant. */
  readonly outputs: number
  /** Before a program A sent as many messages of one size as its line has keys. */
  readonly keys: number
  /** What came in is in the same frame as what left. */
  readonly frames: number
}

/** What may lie between two lengths without a frame, in bytes, and the bits that a turn costs. */
export interface Framing {
  readonly low: number
  readonly high: number
  readonly cost: number
  /** Lengths that are apart by less do not belong together, however constantly they are. */
  readonly floor?: number
  /** What frames of records take. */
  readonly records?: readonly (readonly [number, number])[]
}

export type ExecutionReason = "runsCommands" | "probablyRunsCommands" | "possiblyRunsCommands" | "runsOnRequest"

export interface ExecutionVerdict {
  readonly reason: ExecutionReason
  readonly bits: ExecutionBits
}

export function executionBits({ executions, forward, backward, openBackward }: CouplingEdge): ExecutionBits {
  return {
    timing: executions === undefined ? 0 : timingBits(executions),
    commands: bestBits(forward, executions?.firstForward, weights.commandFraming),
    outputs: bestBits(withOpenTurn(backward, openBackward), executions?.firstBackward, weights.outputFraming),
    keys: executions === undefined ? 0 : keyBits(executions),
    frames: bestFrameBits(forward, withOpenTurn(backward, openBackward), executions),
  }
}

export function judgeExecutions(edge: CouplingEdge): ExecutionVerdict | undefined {
  const bits = executionBits(edge)
  const commands = Math.max(bits.commands, bits.keys, bits.frames)
  const content = commands + bits.outputs
  const total = bits.timing + content
  const isAnswered = bits.outputs >= weights.minOutputsOfDocuments || !isDocument(edge)
  for (const { reason, minTiming, minCommands, minContent, minTotal } of weights.verdicts)
    if (bits.timing >= minTiming && commands >= minCommands && content >= minContent && total >= minTotal)
      if (isAnswered || reason === "runsOnRequest") return { reason, bits }
  return undefined
}

/** More than a command came in: an answer of a server, as a runner's job, whose text may be one command. */
function isDocument({ forward, executions }: CouplingEdge): boolean {
  const frame = ({ n, x, y }: Moments) => (n === 0 ? Infinity : (x - y) / n)
  const later = executions === undefined ? forward : added(forward, executions.firstForward, -1)
  return Math.min(frame(forward), frame(later)) > weights.documentBytes
}

/** How many programs began within a quarter of a second after A spoke, of how many that were counted. */
export function promptly({ started }: Executions): { readonly soon: number; readonly all: number } {
  const all = started.reduce((sum, count) => sum + count, 0)
  return { soon: all - (started.at(-1) ?? 0), all }
}

/**
 * By chance, a program begins at a moment that has nothing to do with A: in each class of delays as often as A has been silent
 * for so long. While little time has been watched, A is taken for a connection that speaks once a second.
 */
export function timingBits({ exposedNs, started }: Executions): number {
  const watched = exposedNs.reduce((sum, ns) => sum + ns, 0)
  const bits = started.reduce((sum, count, i) => {
    const prior = (weights.chattyShares[i] ?? 0) * weights.priorNs
    const chance = ((exposedNs[i] ?? 0) + prior) / (watched + weights.priorNs)
    return sum + count * Math.log2((weights.commandShares[i] ?? 0) / chance)
  }, 0)
  return Math.min(weights.maxTimingBits, bits)
}

/**
 * Lengths of two kinds that belong to the same turns. Under "the one is the other in a frame" their difference is constant:
 * near 0 where there is no frame, else unknown, so that the first turn says nothing and each other one as much as it was
 * free to vary. Where they do not follow each other the difference varies more than they do: bits below 0.
 */
export function lengthBits(moments: Moments, framing: Framing): number {
  const { n } = moments
  if (n === 0) return 0
  const [x, y] = [moments.x / n, moments.y / n]
  if (x - y < (framing.floor ?? Number.NEGATIVE_INFINITY)) return 0
  const spread = deviation(n, y, moments.yy)
  const left = rest(moments)
  const bits = variationBits(n, spread, left, framing.cost) + levelBits(x - y, Math.max(x, y), left, framing)
  return Math.min(weights.maxLengthBits, Math.max(weights.minLengthBits, bits))
}

/** Deviation of the difference of both lengths. */
function rest({ n, x, y, xx, yy, xy }: Moments): number {
  return deviation(n, (x - y) / n, xx + yy - 2 * xy)
}

function deviation(n: number, mean: number, square: number): number {
  return n < 2 ? 0 : Math.sqrt(Math.max(0, (square - n * mean * mean) / (n - 1)))
}

/** A line has as many keys as its program's words are long: of other messages there are as many as it happens, over decades. */
export function keyBits({ typed, typedLog2, untyped }: Executions): number {
  const bits = typedLog2 / 256 + typed * weights.keys.each + untyped * weights.keys.untyped
  return Math.min(weights.maxLengthBits, Math.max(0, bits))
}

/**
 * One program is enough to see that what came in is its words in a frame (a record of TLS, of a websocket) and what left is its
 * output in as much, in one record or a few: of two lengths that have nothing to do with each other that is not to be expected.
 */
export function frameBits(forward: Moments, backward: Moments): number {
  // What leaves while nothing was written is no output: a VPN client sets up its device and goes on with its own protocol.
  if (forward.n === 0 || backward.x === 0) return 0
  const { max, records, slack } = weights.frames
  const frame = (forward.x - forward.y) / forward.n
  if (!isFrame(frame) || rest(forward) > weights.levelRest || rest(backward) > weights.levelRest) return 0
  const left = (backward.y - backward.x) / backward.n
  const isAlike = records.some((count) => left >= count * frame + slack.low && left <= count * frame + slack.high)
  const choices = records.length * (slack.high - slack.low + 1)
  return isAlike
    ? Math.min(max, Math.max(0, Math.log2((weights.lengthDensity * backward.y) / backward.n / choices)))
    : 0
}

/** None, or that of a record: of small messages any two are some tens of bytes apart. */
function isFrame(frame: number): boolean {
  const { low, high, records } = weights.commandFraming
  return [[low, high] as const, ...records].some(([from, to]) => frame >= from && frame <= to)
}

/** A shell that is started writes nothing, so that the first turn of one direction may be a command's where that of the other is not. */
function bestFrameBits(forward: Moments, backward: Moments, executions: Executions | undefined): number {
  const whole = frameBits(forward, backward)
  if (executions === undefined || forward.n < 2) return whole
  const later = added(forward, executions.firstForward, -1)
  const without = backward.n < 2 ? backward : added(backward, executions.firstBackward, -1)
  return Math.max(whole, frameBits(later, backward) - 1, frameBits(later, without) - 1)
}

/** With the first turn or without it, in which a shell may have been started: a choice of two is worth one bit. */
function bestBits(all: Moments, first: Executions["firstForward"] | undefined, framing: Framing): number {
  const whole = lengthBits(all, framing)
  if (first === undefined || all.n < 3 || first.x + first.y === 0) return whole
  return Math.max(whole, lengthBits(added(all, first, -1), framing) - 1)
}

function variationBits(n: number, spread: number, left: number, cost: number): number {
  if (n < 2 || (spread === 0 && left < weights.exactBytes)) return 0
  const turns = Math.min(n, weights.countedTurns) - 1
  // Lengths are whole numbers: a deviation that small is none.
  const floor = left < weights.sameBytes ? weights.sameBytes : weights.exactBytes
  return turns * (Math.log2(Math.max(spread, floor) / Math.max(left, floor)) - cost)
}

/** Lengths spread over six decades: one that is `size` but for a byte or two by chance has a density of 1 / (13.8 size). */
function levelBits(offset: number, size: number, deviation: number, framing: Framing): number {
  if (deviation > weights.levelRest) return 0
  const isRecord = framing.records?.some(([low, high]) => offset >= low && offset <= high) === true
  if (isRecord) return weights.recordBits
  if (offset < framing.low || offset > framing.high) return 0
  return Math.max(0, Math.log2((weights.lengthDensity * size) / (2 * (framing.high - framing.low + 1))))
}

/** The turn under way counts once as much has left as was written. */
function withOpenTurn(moments: Moments, { x, y }: CouplingEdge["openBackward"]): Moments {
  return x === 0 || y < x ? moments : added(moments, { x, y }, 1)
}

function added(m: Moments, { x, y }: Executions["firstForward"], sign: 1 | -1): Moments {
  return {
    n: m.n + sign,
    x: m.x + sign * x,
    y: m.y + sign * y,
    xx: m.xx + sign * x * x,
    yy: m.yy + sign * y * y,
    xy: m.xy + sign * x * y,
  }
}
