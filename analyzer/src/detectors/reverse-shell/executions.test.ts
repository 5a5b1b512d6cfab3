import { describe, expect, it } from "vitest"
import type { Moments } from "../../domain/coupling.js"
import { anEdge, anExecutions, noMoments } from "../../testing/couplings.js"
import { executionBits, frameBits, judgeExecutions, keyBits, lengthBits, promptly, timingBits } from "./executions.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

const unframed = limits.executions.commandFraming

/** Sums over turns of what came in and what went out of it. */
function sums(...turns: readonly (readonly [x: number, y: number])[]): Moments {
  const add = (m: Moments, [x, y]: readonly [number, number]): Moments => ({
    n: m.n + 1,
    x: m.x + x,
    y: m.y + y,
    xx: m.xx + x * x,
    yy: m.yy + y * y,
    xy: m.xy + x * y,
  })
  return turns.reduce(add, noMoments)
}

/** A connection that speaks every so many ms, watched for as many seconds. */
function speaking(everyMs: number, seconds: number): number[] {
  const edges = [0, 4, 16, 64, 256, everyMs]
  const turns = (seconds * 1000) / everyMs
  return edges.slice(0, 5).map((from, i) => Math.max(0, Math.min(everyMs, edges[i + 1] ?? 0) - from) * turns * 1e6)
}

describe("timingBits", () => {
  it("are many where each program begins right after A spoke, and A speaks seldom", () => {
    expect(timingBits(anExecutions({ exposedNs: speaking(700, 3), started: [1, 2, 0, 0, 0] }))).toBeGreaterThan(10)
  })

  it("are fewer the more A speaks anyway, and none where it never stops", () => {
    const started = [4, 0, 0, 0, 0]
    const bits = [10_000, 1_000, 300, 100, 4].map((every) =>
      timingBits(anExecutions({ exposedNs: speaking(every, 60), started })),
    )
    expect(bits).toEqual(bits.toSorted((a, b) => b - a))
    expect(bits.at(-1)).toBeLessThan(0)
  })

  it("are below 0 for a person who types beside a connection that speaks every 3 s or every half second", () => {
    expect(timingBits(anExecutions({ exposedNs: speaking(3_000, 60), started: [0, 0, 1, 2, 15] }))).toBeLessThan(-20)
    expect(timingBits(anExecutions({ exposedNs: speaking(500, 15), started: [0, 1, 2, 8, 11] }))).toBeLessThan(-10)
  })

  it("have a bound", () => {
    expect(timingBits(anExecutions({ exposedNs: speaking(10_000, 600), started: [60, 0, 0, 0, 0] }))).toBe(
      limits.executions.maxTimingBits,
    )
  })
})

describe("frameBits", () => {
  it("convict one command in a record of TLS whose output leaves in one, or in two with a prompt", () => {
    expect(frameBits(sums([25, 3]), sums([39, 61]))).toBeGreaterThan(3)
    expect(frameBits(sums([25, 3]), sums([39, 39 + 2 * 22 + 2]))).toBeGreaterThan(3)
    expect(frameBits(sums([3, 3]), sums([39, 39]))).toBeGreaterThan(3)
  })

  it("say nothing where what left has a frame of its own, or a larger one came in", () => {
    expect(frameBits(sums([25, 3]), sums([39, 140]))).toBe(0)
    expect(frameBits(sums([160, 3]), sums([39, 196]))).toBe(0)
    expect(frameBits(sums([25, 3]), sums())).toBe(0)
    expect(frameBits(sums([122, 72]), sums([0, 49]))).toBe(0)
    expect(frameBits(sums([122, 72]), sums([40, 90]))).toBe(0)
  })

  it("leave out the first turn, in which a shell is started that writes nothing", () => {
    const started = anExecutions({ firstForward: { x: 1_357, y: 3 }, started: [2, 0, 0, 0, 0] })
    const edge = anEdge({ kind: "exec", executions: started, forward: sums([1_357, 3], [25, 3]), openBackward: { x: 39, y: 61 } }) // prettier-ignore
    expect(executionBits(edge).frames).toBeGreaterThan(2.5)
  })

  it("say nothing of frames that vary", () => {
    expect(frameBits(sums([25, 3], [45, 5]), sums([39, 61], [80, 120]))).toBe(0)
  })
})

describe("keyBits", () => {
  const log2 = (...lengths: readonly number[]) => lengths.reduce((sum, length) => sum + 256 * Math.log2(length), 0)

  it("grow with each line that had as many keys, and more with long ones", () => {
    const short = keyBits(anExecutions({ typed: 1, typedLog2: log2(3) }))
    expect(short).toBeGreaterThan(2.5)
    expect(keyBits(anExecutions({ typed: 1, typedLog2: log2(18) }))).toBeGreaterThan(short)
    expect(keyBits(anExecutions({ typed: 3, typedLog2: log2(3, 5, 18) }))).toBeGreaterThan(10)
  })

  it("are none where lines seldom have as many", () => {
    expect(keyBits(anExecutions({ typed: 1, typedLog2: log2(3), untyped: 5 }))).toBe(0)
  })
})

describe("lengthBits", () => {
  it("convict commands that come in as they are, the first one a little", () => {
    const bits = [sums([3, 4]), sums([3, 4], [5, 6]), sums([3, 4], [5, 6], [18, 19])].map((m) =>
      lengthBits(m, unframed),
    )
    expect(bits).toEqual(bits.toSorted((a, b) => a - b))
    expect(bits[0]).toBeGreaterThan(2.5)
    expect(bits[2]).toBeGreaterThan(8)
  })

  it("convict the same in a frame of whatever size, from the second turn on", () => {
    const framed = [60, 157, 1_400].map((frame) =>
      lengthBits(sums([frame + 3, 4], [frame + 5, 6], [frame + 18, 19]), unframed),
    )
    expect(new Set(framed).size).toBe(1)
    expect(framed[0]).toBeGreaterThan(4)
    expect(lengthBits(sums([64, 4]), unframed)).toBe(0)
  })

  it("say nothing where a program is given each message in its words", () => {
    expect(lengthBits(sums([73, 115], [412, 454], [38, 80], [1_510, 1_552]), unframed)).toBe(0)
  })

  it("say a little of one command that a record of TLS is apart from what came in", () => {
    expect(lengthBits(sums([25, 3]), unframed)).toBe(limits.executions.recordBits)
    expect(lengthBits(sums([32, 3]), unframed)).toBe(limits.executions.recordBits)
  })

  it("say nothing of what never varies, and less than nothing where the two do not follow each other", () => {
    expect(lengthBits(sums([90, 12], [90, 12], [90, 12]), unframed)).toBe(0)
    expect(lengthBits(sums([812, 40], [1_730, 21], [700, 39], [2_500, 60]), unframed)).toBe(
      limits.executions.minLengthBits,
    )
  })

  it("are 0 without turns, and have a bound", () => {
    expect(lengthBits(noMoments, unframed)).toBe(0)
    const long = Array.from({ length: 20 }, (_, i) => [i * 900 + 1, i * 900] as const)
    expect(lengthBits(sums(...long), unframed)).toBe(limits.executions.maxLengthBits)
  })
})

describe("judgeExecutions", () => {
  const prompt = anExecutions({ exposedNs: speaking(700, 3), started: [2, 1, 0, 0, 0] })
  const commands = sums([3, 4], [5, 6], [18, 19])

  it("is sure of commands whose output leaves, the turn under way included", () => {
    const edge = anEdge({ kind: "exec", executions: prompt, forward: commands, backward: sums([39, 39]) })
    expect(judgeExecutions(edge)?.reason).toBe("runsCommands")
    const first = anEdge({ kind: "exec", executions: { ...prompt, started: [1, 0, 0, 0, 0] }, forward: sums([18, 19]), openBackward: { x: 139, y: 139 } }) // prettier-ignore
    expect(judgeExecutions(first)?.reason).toBe("runsCommands")
    // Part of the output has left so far: that says nothing of its length.
    const leaving = { ...edge, openBackward: { x: 139, y: 20 } }
    expect(executionBits(leaving).outputs).toBe(executionBits(edge).outputs)
  })

  it("wakes a person at the first command in TLS, and is sure with the second", () => {
    const one = { ...prompt, started: [1, 0, 0, 0, 0] }
    const first = anEdge({ kind: "exec", executions: one, forward: sums([25, 3]), openBackward: { x: 39, y: 61 } })
    expect(judgeExecutions(first)?.reason).toBe("possiblyRunsCommands")
    const both = { ...one, started: [2, 0, 0, 0, 0] }
    const second = anEdge({ kind: "exec", executions: both, forward: sums([25, 3], [27, 5]), backward: sums([39, 61], [112, 134]) }) // prettier-ignore
    expect(judgeExecutions(second)?.reason).toBe("runsCommands")
  })

  it("finds commands that are typed key by key in TLS, and not a person here beside keep-alives of one size", () => {
    const keys = { typed: 2, typedLog2: 256 * (Math.log2(3) + Math.log2(5)), untyped: 0 }
    const typed = anExecutions({ exposedNs: speaking(90, 1), started: [1, 1, 0, 0, 0], ...keys })
    const edge = anEdge({ kind: "exec", executions: typed, forward: sums([23, 3], [23, 5]) })
    expect(judgeExecutions(edge)?.reason).toBe("probablyRunsCommands")
    const here = anExecutions({ exposedNs: speaking(90, 9), started: [0, 1, 4, 5, 0], ...keys, untyped: 8 })
    expect(judgeExecutions({ ...edge, executions: here })).toBeUndefined()
  })

  it("wakes nobody where the output alone agrees: runners of jobs send it, too", () => {
    const edge = anEdge({ kind: "exec", executions: prompt, forward: sums([512, 40], [730, 21], [900, 39]), backward: sums([39, 239], [900, 1_100]) }) // prettier-ignore
    expect(judgeExecutions(edge)?.reason).toBe("runsOnRequest")
  })

  it("finds a shell that polls at its second command, and no runner whose reports differ by more than their output", () => {
    const two = { ...prompt, started: [2, 0, 0, 0, 0] }
    const polled = anEdge({ kind: "exec", executions: two, forward: sums([153, 3], [155, 5]), backward: sums([39, 237], [112, 311]) }) // prettier-ignore
    expect(judgeExecutions(polled)?.reason).toBe("probablyRunsCommands")
    expect(judgeExecutions({ ...polled, backward: sums([39, 237], [112, 350]) })?.reason).toBe("runsOnRequest")
  })

  it("asks for the output, too, where a command comes in a document: runners of jobs take one", () => {
    const jobs = sums([173, 4], [175, 6], [188, 19], [202, 33])
    const logs = sums([39, 230], [900, 2_600], [4_000, 5_900], [88, 900])
    const edge = anEdge({ kind: "exec", executions: prompt, forward: jobs, backward: logs })
    expect(judgeExecutions(edge)?.reason).toBe("runsOnRequest")
    expect(judgeExecutions({ ...edge, backward: sums([39, 230], [900, 1_092], [88, 279]) })?.reason).toBe(
      "runsCommands",
    )
  })

  it("leaves out the first turn where it is that of a shell which is started", () => {
    const started = anExecutions({ ...prompt, started: [4, 0, 0, 0, 0], firstForward: { x: 1_355, y: 8 } })
    const framed = sums([1_355, 8], [25, 3], [27, 5], [40, 18])
    const edge = anEdge({ kind: "exec", executions: started, forward: framed })
    expect(judgeExecutions(edge)?.reason).toBe("runsCommands")
    expect(judgeExecutions({ ...edge, executions: { ...started, firstForward: { x: 0, y: 0 } } })?.reason).toBe(
      "runsOnRequest",
    )
  })

  it("is silent where programs begin at any time", () => {
    const any = anExecutions({ exposedNs: speaking(500, 15), started: [0, 0, 1, 4, 4] })
    expect(
      judgeExecutions(anEdge({ kind: "exec", executions: any, forward: commands, backward: commands })),
    ).toBeUndefined()
  })
})

it("counts what began promptly", () => {
  expect(promptly(anExecutions({ started: [1, 2, 3, 4, 5] }))).toEqual({ soon: 10, all: 15 })
})
