import { describe, expect, it } from "vitest"
import type { Claim } from "../domain/detector.js"
import type { Finding } from "../domain/finding.js"
import { policy } from "../policy/policy.js"
import { FindingTracker } from "./finding-tracker.js"
import { at } from "../testing/time.js"
import { aHost } from "../testing/hosts.js"
import { anUpdate } from "../testing/connections.js"
import { aProcess } from "../testing/processes.js"
import { aBatch } from "../testing/batches.js"
import { aClaim } from "../testing/findings.js"
import { aTracker } from "../testing/trackers.js"

const inverted = aClaim({ class: "inverted_flow", detector: "inverted-exchanges", subject: "s", score: 0.4 })

/** A host with a process and its connection, and the findings made of claims about them. */
function watchedHost(rules = policy({ approved: [], suppressed: [], denied: [] })) {
  const state = aTracker()
  const findings = new FindingTracker(rules)
  let seq = 0
  const step = (seconds: number, claims: readonly Claim[] = [], parts = {}) => {
    const changes = [...state.apply(aBatch(++seq, { observedUs: at(seconds), ...parts }))]
    return changes.length < 0 ? [] : findings.advance(claims, state, at(seconds))
  }
  step(0, [], {
    processes: [aProcess(["bash"], { key: "4700:0" }), aProcess(["ssh", "-N", "-R", "1"], { parent: "4700:0" })],
    connections: [anUpdate()],
  })
  return { step, findings }
}

describe("a finding", () => {
  it("shows claim, process, lineage, connection and host", () => {
    const [finding] = watchedHost().step(1, [aClaim()])
    expect(finding).toMatchObject({
      version: 1,
      status: "open",
      severity: "medium",
      score: 0.6,
      detectedAtUs: at(1),
      host: { id: aHost().hostId, name: "build-7", bootId: aHost().bootId },
      process: {
        pid: 4711,
        startNs: "1",
        argv: ["ssh", "-N", "-R", "1"],
        ancestors: [{ pid: 4700, exe: "/usr/bin/bash" }],
      },
      connection: {
        cookie: "00000000000003e8",
        protocol: "tcp",
        bytesSent: 4_096,
        bytesReceived: 1_234,
        stillOpen: true,
      },
      evidence: [{ kind: "conservation" }],
    })
  })

  it("goes on with its version numbers when it is claimed again after it was forgotten", () => {
    const host = watchedHost()
    host.step(1, [aClaim()])
    host.step(2, [aClaim({ status: "ended" })])
    host.step(25 * 3_600)
    expect(host.step(26 * 3_600, [aClaim()])).toMatchObject([{ version: 3, status: "updated" }])
  })

  it("has one id per subject, detector and class", () => {
    const host = watchedHost()
    const claims = [
      aClaim(),
      aClaim({ subject: "group 2" }),
      aClaim({ detector: "other" }),
      aClaim({ class: "reverse_shell" }),
    ]
    const ids = host.step(1, claims).map(({ id }) => id)
    expect(new Set(ids).size).toBe(4)
    expect(host.step(2, [aClaim({ score: 0.9 })]).map(({ id }) => id)).toEqual(ids.slice(0, 1))
  })

  it("shows the process as it was when it did what is claimed", () => {
    const [finding] = watchedHost().step(1, [aClaim({ facts: aProcess(["bash", "-c", "exec ssh"]) })])
    expect(finding?.process).toMatchObject({ exe: "/usr/bin/bash", argv: ["bash", "-c", "exec ssh"] })
  })

  it("stands without facts: the key tells pid and start, and no user is made up", () => {
    const [finding] = watchedHost().step(1, [aClaim({ process: "77:88", cookie: "" })])
    expect(finding?.process).toMatchObject({ pid: 77, startNs: "88", uid: 4_294_967_295, exe: "" })
    expect(finding?.connection).toMatchObject({ cookie: "", protocol: "unknown", stillOpen: false })
  })
})

describe("versions", () => {
  it.each<[string, Partial<Claim>, number]>([
    ["nothing", {}, 0],
    ["a score just below the step", { score: 0.649 }, 0],
    ["a score by the step", { score: 0.65 }, 1],
    ["another band", { score: 0.7 }, 1],
    ["evidence of another kind", { evidence: [...aClaim().evidence, { ...aClaim().evidence[0], kind: "ssh" }] }, 1],
    ["more evidence of a known kind", { evidence: [...aClaim().evidence, aClaim().evidence[0]] }, 0],
    ["counters", { summary: "4 times", lastSeenUs: at(2) }, 0],
    ["the end", { status: "ended" }, 1],
  ])("are made at once for %s: %o", (_, changes, count) => {
    const host = watchedHost()
    host.step(1, [aClaim()])
    expect(host.step(2, [aClaim(changes)])).toHaveLength(count)
  })

  it("are made at once for another band, by however little", () => {
    const host = watchedHost()
    host.step(1, [aClaim({ score: 0.69 })])
    expect(host.step(2, [aClaim({ score: 0.7 })])).toMatchObject([{ severity: "high" }])
  })

  it("count up, first open, then updated, then closed", () => {
    const host = watchedHost()
    const versions = [
      ...host.step(1, [aClaim()]),
      ...host.step(2, [aClaim({ score: 0.95 })]),
      ...host.step(3, [aClaim({ score: 0.95, status: "ended" })]),
    ]
    expect(versions.map(({ version, status }) => [version, status])).toEqual([
      [1, "open"],
      [2, "updated"],
      [3, "closed"],
    ])
  })

  it("of counters alone come a minute after the last, without a further claim", () => {
    const host = watchedHost()
    host.step(1, [aClaim()])
    host.step(2, [aClaim({ summary: "twice", lastSeenUs: at(2) })])
    expect(host.step(60.999)).toEqual([])
    expect(host.step(61)).toMatchObject([{ version: 2, summary: "twice", detectedAtUs: at(61) }])
    expect(host.step(200)).toEqual([])
  })

  it("tell both beginning and end of what began and ended within one batch", () => {
    const versions = watchedHost().step(1, [aClaim(), aClaim({ status: "ended" })])
    expect(versions.map(({ version, status }) => [version, status])).toEqual([
      [1, "open"],
      [2, "closed"],
    ])
  })

  it("have the final totals when the connection closed", () => {
    const host = watchedHost()
    host.step(1, [aClaim()])
    const closed = anUpdate({ reason: "closed", bytesSent: 9_000, observedUs: at(2) })
    const [finding] = host.step(2, [aClaim({ status: "ended" })], { connections: [closed] })
    expect(finding?.connection).toMatchObject({ bytesSent: 9_000, stillOpen: false })
  })

  it("go on with their numbers when the subject comes back", () => {
    const host = watchedHost()
    host.step(1, [aClaim({ status: "ended" })])
    expect(host.step(2, [aClaim()])).toMatchObject([{ version: 3, status: "updated" }])
  })
})

describe("support", () => {
  it("raises what was said before, and says so", () => {
    const host = watchedHost()
    host.step(1, [aClaim({ score: 0.45 })])
    const versions = host.step(2, [inverted])
    expect(versions.map((finding) => finding.class)).toEqual(["inverted_flow", "reverse_tunnel"])
    expect(versions[1]).toMatchObject({ version: 2, severity: "medium", score: 0.516 })
    expect(versions[1]?.evidence.map(({ kind }) => kind)).toEqual(["conservation", "raised"])
  })

  it("that moves the score by less than the step is not told", () => {
    const host = watchedHost()
    host.step(1, [aClaim({ score: 0.95 })])
    expect(host.step(2, [inverted]).map((finding) => finding.class)).toEqual(["inverted_flow"])
  })

  it("does not come from another process and connection", () => {
    const host = watchedHost()
    host.step(1, [aClaim({ score: 0.45 })])
    expect(host.step(2, [{ ...inverted, process: "9:9", cookie: "ff" }])).toHaveLength(1)
  })
})

describe("policy", () => {
  const approved = { destination: "203.0.113.9:443", reason: "the bastion of ops" }

  it("records what is approved as expected, with the rule, through to its end", () => {
    const host = watchedHost(policy({ approved: [approved], suppressed: [], denied: [] }))
    const [finding] = host.step(1, [aClaim({ score: 0.95 })])
    expect(finding).toMatchObject({ status: "expected", severity: "info", score: 0.95 })
    expect(finding?.summary).toContain("Policy: the bastion of ops.")
    expect(finding?.evidence.at(-1)).toMatchObject({ kind: "policy", facts: { rule: "policy.approved[0]" } })
    const closed = anUpdate({ reason: "closed", observedUs: at(2) })
    expect(
      host.step(62, [aClaim({ score: 0.95, status: "ended", lastSeenUs: at(2) })], { connections: [closed] }),
    ).toMatchObject([{ status: "expected", connection: { stillOpen: false } }])
  })

  it("raises what is denied to high, weak as it is, and keeps it open until it ends", () => {
    const denied = { destination: "203.0.113.0/24", reason: "no way in from there" }
    const host = watchedHost(policy({ approved: [approved], suppressed: [], denied: [denied] }))
    const [finding] = host.step(1, [aClaim({ score: 0.3 })])
    expect(finding).toMatchObject({ status: "open", severity: "high", score: 0.3 })
    expect(finding?.evidence.at(-1)).toMatchObject({ kind: "policy", facts: { rule: "policy.denied[0]" } })
    expect(host.step(62, [aClaim({ score: 0.3, status: "ended" })])).toMatchObject([{ status: "closed" }])
  })

  it("does not reach another port", () => {
    const host = watchedHost(
      policy({ approved: [{ ...approved, destination: "203.0.113.9:22" }], suppressed: [], denied: [] }),
    )
    expect(host.step(1, [aClaim({ score: 0.95 })])).toMatchObject([{ status: "open", severity: "high" }])
  })
})

it("gives the same findings for the same claims", () => {
  const run = () => {
    const host = watchedHost()
    return [host.step(1, [aClaim(), inverted]), host.step(2, [aClaim({ score: 0.9 })]), host.step(90)]
  }
  expect(JSON.stringify(run())).toBe(JSON.stringify(run()))
})

describe("findings that begin faster than a person reads", () => {
  const claims = (count: number, changes: Partial<Claim> = {}) =>
    Array.from({ length: count }, (_, i) =>
      aClaim({ subject: `${changes.detector ?? ""}${i}`, score: 0.3, ...changes }),
    )
  const severitiesOf = (findings: readonly Finding[]) => new Set(findings.map(({ severity }) => severity))

  it("are held back and counted, come with the next minute, and none is lost", () => {
    const { step, findings } = watchedHost()
    const now = step(1, claims(1_300))
    expect(now).toHaveLength(500)
    expect(findings.evicted).toEqual({ finding: 0, heldFinding: 800 })
    expect(step(30, claims(1_300))).toEqual([])
    const later = [62, 123, 184].map((second) => step(second))
    expect(later.map(({ length }) => length)).toEqual([500, 300, 0])
    expect(findings.evicted).toMatchObject({ heldFinding: 800 })
    expect(new Set([...now, ...later.flat()].map(({ id }) => id)).size).toBe(1_300)
  })

  it("let the graver of them through", () => {
    const { step } = watchedHost()
    step(1, claims(1_300))
    const grave = step(2, claims(20, { detector: "grave", score: 0.95, confidence: 0.95 }))
    expect(grave).toHaveLength(20)
    expect(severitiesOf(grave).has("low")).toBe(false)
    step(3, claims(1_300, { detector: "grave", score: 0.95, confidence: 0.95 }))
    const [next] = step(62)
    expect(next?.severity).toBe(grave[0]?.severity)
  })

  it("leave room for another user", () => {
    const { step } = watchedHost()
    step(1, claims(1_300), { processes: [aProcess(["nc"], { key: "9:9", uid: 77 })] })
    expect(step(2, [aClaim({ subject: "other", score: 0.3, process: "9:9", cookie: "" })])).toHaveLength(1)
  })

  it("have both versions when they ended meanwhile", () => {
    const { step } = watchedHost()
    step(1, claims(501))
    expect(step(2, [{ ...aClaim({ subject: "500", score: 0.3 }), status: "ended" }])).toEqual([])
    expect(step(62).map(({ version, status }) => [version, status])).toEqual([
      [1, "open"],
      [2, "closed"],
    ])
  })
})
