import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Recorder } from "@backflow/analyzer/ingest/server/recording"
import { startUs } from "@backflow/analyzer/testing/time"
import * as wire from "@backflow/analyzer/testing/wire-messages"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { labelledRecordings } from "./recordings.js"
import { samples } from "./samples.js"

const mapped = (...bytes: readonly number[]) => Buffer.from([...Array<number>(10).fill(0), 255, 255, ...bytes])

/** Two requests through a relay that adds 20 bytes, dialled 2^8 times sooner than chance has it. */
function edge(group: number, process: number, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    group,
    process,
    aProcess: process,
    kind: "KIND_TCP",
    aRemote: mapped(203, 0, 113, 9),
    aPort: 443,
    aCookie: 1_000 + group,
    bRemote: mapped(127, 0, 0, 1),
    bPort: 8_000,
    bCookie: 2_000 + group,
    openedAfter: 1,
    forward: { n: 2, x: 840, y: 800, xx: 352_900, yy: 320_100, xy: 336_100 },
    backward: { n: 2, x: 8_000, y: 8_040, xx: 34_000_000, yy: 34_320_400, xy: 34_160_000 },
    firstUs: startUs,
    lastUs: startUs + 100_000,
    order: { waited: 1, passed: 2, leadLog2: 256 * 16 },
    ...changes,
  }
}

let folder: string

/** Replaces what was recorded there before. */
function recorded(name: string, processes: readonly object[], edges: readonly object[], connections = {}): void {
  rmSync(join(folder, name), { recursive: true, force: true })
  const recorder = new Recorder(join(folder, name), () => startUs)
  const stream = {}
  for (const message of [wire.hello(), wire.snapshot(1, {}), wire.batch(2, { processes, edges, connections })])
    recorder.append(stream, message)
  recorder.close()
}

function written(name: string, content: object): void {
  mkdirSync(join(folder, name, ".."), { recursive: true })
  writeFileSync(join(folder, name), JSON.stringify(content))
}

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "backflow-weights-"))))
afterEach(() => rmSync(folder, { recursive: true }))

describe("a run in which each scenario has a working folder of its own", () => {
  const inFolder = (name: string) => ({ cwd: `/tmp/lab/${name}` })
  const play = (edges: readonly object[], local = "192.0.2.10") => {
    recorded(
      "run/recording",
      [
        wire.process(1, 11, inFolder("relay")),
        wire.process(2, 12, inFolder("subscriber/deeper")),
        wire.process(3, 13, { parent: 1, cwd: "/" }),
        wire.process(4, 14, inFolder("of_another_lab")),
      ],
      edges,
      wire.connections([{ cookie: (1_001).toString(16), process: 1, local }]),
    )
    written("run/labels.json", {
      elsewhere: ["198.51.100.20"],
      scenarios: [
        { name: "relay", kind: "malicious", folder: "/tmp/lab/relay" },
        { name: "subscriber", kind: "benign", folder: "/tmp/lab/subscriber" },
      ],
    })
    return samples(labelledRecordings(folder))
  }

  it("takes the strongest edges of each", () => {
    const weak = { backward: { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 } }
    const own = { order: { straight: 1, own: 3, leadLog2: 2_048 } }
    const found = play([edge(1, 1, weak), edge(2, 1), edge(3, 2, own), edge(4, 4)])
    expect(found.map(({ name, kind, level }) => ({ name, kind, level }))).toEqual([
      { name: "relay", kind: "malicious", level: "certain" },
      { name: "subscriber", kind: "benign", level: "none" },
    ])
    expect(found[0]?.counts).toMatchObject({ turns: 2, answers: 2, opened: 1, waited: 1 })
    expect(found[1]?.observations).toMatchObject({ own: -24, straight: -0.6 })
  })

  it("counts what a child did that left the folder", () => {
    expect(play([edge(1, 3)]).map(({ name }) => name)).toEqual(["relay"])
  })

  it("leaves out the other machines of the lab", () => {
    expect(play([edge(1, 1)]).map(({ name }) => name)).toEqual(["relay"])
    expect(play([edge(1, 1)], "198.51.100.20")).toEqual([])
  })

  it("adds up to the score, what coincidence takes included", () => {
    const [relay] = play([edge(1, 1, { order: { waited: 1, passed: 2, leadLog2: 0 } })])
    const sum = Object.values(relay?.observations ?? {}).reduce((all, bits) => all + bits, 0)
    expect(relay?.observations["chance"]).toBeLessThan(-5)
    expect(sum).toBeCloseTo(relay?.bits ?? 0)
  })

  it("weighs by the factors that it is given", () => {
    const [present] = play([edge(1, 1)])
    const [other] = samples(labelledRecordings(folder), new Map([["backwardSizes", 0.5]]))
    const sizes = present?.observations["backwardSizes"] ?? 0
    expect(sizes).toBeGreaterThan(5)
    expect(other?.bits).toBeCloseTo((present?.bits ?? 0) - sizes / 2)
  })
})

describe("a scenario of the data set", () => {
  const truth = {
    scenario: "a relay",
    family: "relays",
    kind: "malicious",
    start_us: startUs,
    end_us: startUs + 200_000,
    pids: [11],
    sockets: [
      { role: "reached", processes: [{ pid: 21, exe: "/usr/bin/socat" }] },
      { role: "accepted", processes: [{ pid: 31, exe: "/usr/sbin/nginx" }] },
    ],
  }
  const played = (edges: readonly object[]) => {
    recorded(
      "one/backflow",
      [11, 12, 21, 31].map((pid, i) => wire.process(i + 1, pid, pid === 12 ? { parent: 1 } : {})),
      edges,
    )
    written("one/truth.json", truth)
    return samples(labelledRecordings(folder)).map(({ name }) => name)
  }

  it.each([
    ["a process of it", 1],
    ["a child of one", 2],
    ["who opened one of its sockets", 3],
  ])("is what was done by %s", (_, process) => {
    expect(played([edge(1, process)])).toEqual(["relays/a relay"])
  })

  it("is not what a service did that others spoke to", () => {
    expect(played([edge(1, 4)])).toEqual([])
  })

  it("is not what was done after it had ended", () => {
    expect(played([edge(1, 1, { lastUs: startUs + 5_000_000 })])).toEqual([])
  })
})
