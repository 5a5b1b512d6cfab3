import { beforeEach, describe, expect, it } from "vitest"
import type { Batch } from "../../domain/batch.js"
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Finding } from "../../domain/finding.js"
import type { Proof } from "../../domain/proof.js"
import { nothingLost } from "../../domain/lost.js"
import { HostPipeline } from "../../pipeline/host-pipeline.js"
import { stagesFor } from "../../pipeline/stages.js"
import { aBatch } from "../../testing/batches.js"
import { anOpening } from "../../testing/connections.js"
import { anEdge, noMoments } from "../../testing/couplings.js"
import { aHost } from "../../testing/hosts.js"
import { aProcess } from "../../testing/processes.js"
import { at } from "../../testing/time.js"
import { pipelineOptions } from "../../testing/trackers.js"
import { proofSizes } from "./judge.js"

const nonce = "0102030410203040"
const relay = "4711:1"

const turnsOf = (sizes: readonly number[]) =>
  sizes.reduce(
    (m, x) => ({ n: m.n + 1, x: m.x + x, y: m.y + x, xx: m.xx + x * x, yy: m.yy + x * x, xy: m.xy + x * x }),
    noMoments,
  )

/** What the kernel has of a relay after its first `turns` turns: the last one is open. */
function relayed(turns = 4, changes: Partial<CouplingEdge> = {}): CouplingEdge {
  const sizes = proofSizes(nonce)
  const [forward, backward] = [sizes.forward.slice(0, turns), sizes.backward.slice(0, turns)]
  const [lastForward = 0, lastBackward = 0] = [forward.at(-1), backward.at(-1)]
  const total = (all: readonly number[]) => all.reduce((sum, size) => sum + size, 0)
  return anEdge({
    forward: turnsOf(forward.slice(0, -1)),
    openForward: { x: lastForward, y: lastForward },
    backward: turnsOf(backward.slice(0, -1)),
    openBackward: { x: lastBackward, y: lastBackward },
    forwardIn: total(forward),
    forwardOut: total(forward),
    backwardIn: total(backward),
    backwardOut: total(backward),
    firstUs: at(10),
    lastUs: at(10.1),
    ...changes,
  })
}

const proof = (changes: Partial<Proof> = {}): Proof => ({
  nonce,
  process: relay,
  startedUs: at(10),
  failure: "",
  ...changes,
})

let pipeline: HostPipeline
let seq: number
let findings: Finding[]

beforeEach(() => {
  const policy = { approved: [], suppressed: [], denied: [] }
  const stages = stagesFor({ detectors: { longLivedSsh: { afterSeconds: 600 } }, policy })
  pipeline = new HostPipeline(aHost(), pipelineOptions({ stages }))
  seq = 0
  findings = []
})

/** One batch; what it gave, as "class status severity". */
function step(seconds: number, parts: Partial<Batch> = {}): string[] {
  seq += 1
  const output = pipeline.apply(aBatch(seq, { observedUs: at(seconds), ...parts }))
  findings.push(...output.findings)
  return output.findings.map((one) => `${one.class} ${one.status} ${one.severity}`)
}

/** The relay has dialled out, and the collector says so. */
function begin(changes: Partial<Proof> = {}): void {
  step(10, { processes: [aProcess(["x"], { key: relay })], connections: [anOpening()], proofs: [proof(changes)] })
}

describe("a relay that the analyzer asked for", () => {
  it("is recorded as a proof, and proves the host", () => {
    begin()
    expect(step(10.2, { edges: [relayed()] })).toEqual(["reverse_tunnel proof info"])
    expect(findings[0]?.summary).toMatch(/^Proof that this host is watched: /)
    expect(findings[0]?.evidence.map(({ kind }) => kind)).toContain("proof")
    expect(pipeline.proofs).toMatchObject({
      lastProvenUs: at(10.2),
      last: { nonce, outcome: "found" },
      blind: undefined,
    })
  })

  it("is no incident, and stays a proof when it ends", () => {
    begin()
    step(10.2, { edges: [relayed()] })
    const closed = anOpening({ reason: "closed", observedUs: at(11) })
    const outputs = [12, 120].map((seconds) =>
      pipeline.apply(aBatch((seq += 1), { observedUs: at(seconds), connections: [closed], exited: [relay] })),
    )
    expect(outputs.flatMap((output) => output.findings.map(({ status }) => status))).toEqual(["proof"])
    expect(outputs.flatMap((output) => output.incidents)).toEqual([])
  })

  it("is waited for while only a part of it is seen", () => {
    begin()
    expect(step(10.2, { edges: [relayed(2)] })).toEqual([])
    expect(step(10.4, { edges: [relayed(4, { lastUs: at(10.3) })] })).toEqual(["reverse_tunnel proof info"])
  })

  it("is a proof that came late when it is found after 2 s", () => {
    begin()
    expect(step(12.5, { edges: [relayed()] })).toEqual(["reverse_tunnel proof info", "host_blind open medium"])
    expect(pipeline.proofs.blind?.reason).toBe("it was found only after 2.50 s")
  })

  it("is a proof although its host was given up already", () => {
    begin()
    expect(step(13.1)).toEqual(["host_blind open high"])
    expect(step(14, { edges: [relayed()] })).toEqual(["reverse_tunnel proof info"])
    expect(pipeline.proofs.blind).toBeDefined()
  })
})

describe("what only looks like it", () => {
  it.each([
    ["a byte more inwards", { forwardOut: relayed().forwardOut + 1 }],
    ["a byte more that never went on", { forwardIn: relayed().forwardIn + 1 }],
    ["another turn", { openBackward: { x: 98, y: 98 }, backward: turnsOf(proofSizes(nonce).backward) }],
    ["turns of other sizes with the same sum", { forward: turnsOf([32, 35, 35]), openForward: { x: 36, y: 36 } }],
    ["a second dial", { openedAfter: 2 }],
    ["B dialled before A spoke", { openedAlone: 1 }],
  ] satisfies [string, Partial<CouplingEdge>][])("is judged like any other relay: %s", (_, changes) => {
    begin()
    expect(step(10.2, { edges: [relayed(4, changes)] })).toEqual([])
    expect(step(13.1)).toEqual(expect.arrayContaining(["reverse_tunnel open high", "host_blind open high"]))
  })

  it("is judged like any other when the process reaches a second place", () => {
    begin()
    step(10.2, { edges: [relayed(), relayed(4, { bRemote: { address: "10.0.0.8", port: 22 } })] })
    expect(step(13.1)).toContain("reverse_tunnel open high")
  })

  it("is judged when it is another process, at once and whatever the sizes", () => {
    begin()
    const other = aProcess(["y"], { key: "4712:1" })
    const edge = relayed(4, { group: "0000000000000002", aProcess: other.key, bProcess: other.key })
    expect(step(10.2, { processes: [other], edges: [edge] })).toEqual(["reverse_tunnel open high"])
    expect(step(13.1)).toEqual(["host_blind open high"])
  })

  it("is judged when somebody goes on with the relay's process after it was a proof", () => {
    begin()
    step(10.2, { edges: [relayed()] })
    const more = relayed(4, { forwardIn: 900, forwardOut: 900, lastUs: at(10.5) })
    expect(step(10.6, { edges: [more] })).toEqual(["reverse_tunnel updated high"])
  })
})

describe("a host that shows nothing", () => {
  it("is blind once the time is over, with what was lost since the last proof", () => {
    begin()
    step(10.2, { edges: [relayed()] })
    const lost = { ...nothingLost, ringConnection: 7 }
    step(20, { proofs: [proof({ nonce: "ff00ff00ff00ff00", process: "4712:1", startedUs: at(20) })], lost })
    expect(step(22.9, { lost })).toEqual([])
    expect(step(23.1, { lost })).toEqual(["host_blind open high"])
    const texts = findings
      .at(-1)
      ?.evidence.map(({ text }) => text)
      .join(" ")
    expect(texts).toMatch(/The last relay that came back was found at .*ringConnection 7/)
  })

  it("says so when the kernel programs did not even see the relay connect", () => {
    begin({ process: undefined })
    step(13.1)
    expect(findings[0]?.summary).toMatch(/the kernel programs did not see it connect/)
  })

  it("is no longer blind at the next proof that comes back", () => {
    begin()
    step(13.1)
    const next = { key: "4712:1", group: "0000000000000002" }
    step(20, {
      processes: [aProcess(["x"], { key: next.key })],
      proofs: [proof({ nonce: "0102030410203041", process: next.key, startedUs: at(20) })],
    })
    const sizes = proofSizes("0102030410203041").backward.at(-1) ?? 0
    const whole = relayed(4, {
      group: next.group,
      aProcess: next.key,
      bProcess: next.key,
      firstUs: at(20),
      lastUs: at(20.1),
    })
    const edge = {
      ...whole,
      openBackward: { x: sizes, y: sizes },
      backwardIn: whole.backwardIn + 1,
      backwardOut: whole.backwardOut + 1,
    }
    expect(step(20.2, { edges: [edge] })).toEqual(["reverse_tunnel proof info", "host_blind closed high"])
    expect(pipeline.proofs.blind).toBeUndefined()
  })

  it("is a note when it could never be tried", () => {
    expect(step(10, { proofs: [proof({ process: undefined, failure: "unshare: EPERM" })] })).toEqual([
      "host_blind open low",
    ])
    expect(findings[0]?.summary).toMatch(/could not be tried: unshare: EPERM\./)
  })

  it("wakes somebody when it can no longer be tried", () => {
    begin()
    step(10.2, { edges: [relayed()] })
    expect(step(20, { proofs: [proof({ nonce: "ff00ff00ff00ff00", process: undefined, startedUs: at(20), failure: "the prover has ended (signal 9)" })] })).toEqual(["host_blind open medium"]) // prettier-ignore
  })

  it("is told when a relay that had begun broke off", () => {
    begin()
    expect(step(10.5, { proofs: [proof({ failure: "the exchange broke off" })] })).toEqual(["host_blind open low"])
  })

  it("is told when the collector never said anything", () => {
    step(10)
    pipeline.proofFailed(nonce, "the collector did not respond within 10 s")
    expect(step(21)).toEqual(["host_blind open low"])
  })
})

it("takes what a collector repeats for the same relay", () => {
  begin()
  expect(step(10.2, { proofs: [proof()], edges: [relayed()] })).toEqual(["reverse_tunnel proof info"])
  expect(step(13.1, { proofs: [proof()] })).toEqual([])
})
