import { readFileSync } from "node:fs"
import addFormats from "ajv-formats"
import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, it } from "vitest"
import type { Batch } from "../domain/batch.js"
import { pipelineOptions } from "../testing/trackers.js"
import type { Output } from "../domain/output.js"
import { HostPipeline } from "./host-pipeline.js"
import type { PolicyRules } from "../policy/policy.js"
import { findingJson } from "../documents/finding-json.js"
import { stagesFor } from "./stages.js"
import { at } from "../testing/time.js"
import { aHost } from "../testing/hosts.js"
import { sshClient, anUpdate } from "../testing/connections.js"
import { aProcess } from "../testing/processes.js"
import { aBatch } from "../testing/batches.js"
import { anEdge } from "../testing/couplings.js"

const nothing: PolicyRules = { approved: [], suppressed: [], denied: [] }

/** One forwarded request of a real ssh -R, as it was traced. */
const turn = (x: number, y: number) => ({ n: 1, x, y, xx: x * x, yy: y * y, xy: x * y })
const request = anEdge({
  forwardIn: 116,
  forwardOut: 79,
  backwardIn: 206,
  backwardOut: 244,
  forward: turn(116, 79),
  backward: turn(206, 244),
  firstUs: at(60),
  lastUs: at(60),
})

/** Runs the steps as batches; `seconds` is the event time of each. */
function run(policy: PolicyRules, steps: readonly (readonly [seconds: number, parts: Partial<Batch>])[]): Output[] {
  const stages = stagesFor({
    detectors: { longLivedSsh: { afterSeconds: 600 } },
    policy: policy,
  })
  const pipeline = new HostPipeline(aHost(), pipelineOptions({ stages }))
  return steps.map(([seconds, parts], i) => pipeline.apply(aBatch(i + 1, { observedUs: at(seconds), ...parts })))
}

const argv = ["ssh", "-N", "-R", "8080:localhost:8000", "ops@203.0.113.9"]
const tunnel: readonly (readonly [number, Partial<Batch>])[] = [
  [0, { processes: [aProcess(["bash", "fix.sh"], { key: "4700:0" }), aProcess(argv, { parent: "4700:0" })] }],
  [1, { connections: [anUpdate({ reason: "opened", observedUs: at(1) })] }],
  [2, { connections: [anUpdate({ reason: "identified", ssh: sshClient, observedUs: at(2) })] }],
  [60, { edges: [request] }],
  [600, {}],
  [700, { connections: [anUpdate({ reason: "closed", ssh: sshClient, observedUs: at(700) })], exited: ["4711:1"] }],
]

const findingsOf = (outputs: readonly Output[]) =>
  outputs.map(({ findings }) => findings.map((f) => `${f.class} ${f.severity} ${f.status}`))

describe("a reverse tunnel from its command line to its end", () => {
  const outputs = run(nothing, tunnel)

  it("is told step by step", () => {
    expect(findingsOf(outputs)).toEqual([
      ["tunnel_intent low open"],
      ["tunnel_intent medium updated"],
      [],
      ["reverse_tunnel high open"],
      // What was said of the intent at 2 s only moved its counters: told with the next batch after a minute.
      ["long_lived_ssh medium open", "tunnel_intent medium updated"],
      expect.arrayContaining([
        "reverse_tunnel high closed",
        "long_lived_ssh medium closed",
        "tunnel_intent medium closed",
      ]) as string[],
    ])
  })

  it("is one incident", () => {
    const incidents = outputs.flatMap((output) => output.incidents)
    expect(new Set(incidents.map(({ id }) => id)).size).toBe(1)
    expect(incidents.map(({ severity, status }) => `${severity} ${status}`)).toEqual([
      "medium open",
      "high open",
      "high open",
      "high closed",
    ])
    expect(incidents.at(-1)?.timeline.map(({ text }) => /^(now \w+|closed): /.exec(text)?.[1] ?? "joined")).toEqual([
      "joined",
      "now medium",
      "joined",
      "joined",
      "closed",
      "closed",
      "closed",
    ])
  })

  it("gives findings of the published form", () => {
    const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })
    addFormats.default(ajv)
    const schema: unknown = JSON.parse(
      readFileSync(new URL("../../../proto/finding.schema.json", import.meta.url), "utf8"),
    )
    const validate = ajv.compile(schema as object)
    for (const finding of outputs.flatMap((output) => output.findings)) {
      expect(validate(JSON.parse(JSON.stringify(findingJson(finding)))), ajv.errorsText(validate.errors)).toBe(true)
    }
  })

  it("gives the same bytes when it is run again", () => {
    expect(JSON.stringify(run(nothing, tunnel))).toBe(JSON.stringify(outputs))
  })
})

it("records an approved tunnel as expected at every step of it, and makes no incident of it", () => {
  const approved = { destination: "203.0.113.9:443", identity: { uid: 1_000 }, reason: "bastion of ops" }
  const outputs = run({ approved: [approved], suppressed: [], denied: [] }, tunnel)
  const findings = outputs.flatMap((output) => output.findings)
  expect(findings.filter(({ severity }) => severity !== "info" && severity !== "low")).toEqual([])
  expect(findings.filter((finding) => finding.class === "reverse_tunnel").map(({ status }) => status)).toContain(
    "expected",
  )
  expect(outputs.flatMap((output) => output.incidents)).toEqual([])
})

it("wakes nobody for ssh -L in use from a terminal", () => {
  const forward = aProcess(["ssh", "-L", "8080:localhost:80", "host"], { hasTty: true })
  const accepted = { ...request, openedAfter: 0, forward: turn(340, 301), backward: turn(82, 116) }
  const outputs = run(nothing, [
    [0, { processes: [forward], connections: [anUpdate({ ssh: sshClient })] }],
    [60, { edges: [accepted] }],
    [600, {}],
  ])
  expect(findingsOf(outputs)).toEqual([[], [], ["long_lived_ssh low open"]])
  expect(outputs.flatMap((output) => output.incidents)).toEqual([])
})
