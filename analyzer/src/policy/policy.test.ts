import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isAt, parseDestination } from "./destination.js"
import { policy, type PolicyRule, type Subject } from "./policy.js"
import { matchesPath, matchesText } from "./wildcard.js"
import { aProcess } from "../testing/processes.js"

const bastion = { address: "203.0.113.9", port: 443 }
const agent = aProcess(["/opt/teleport/bin/agent", "--join", "x"], { uid: 997, containerId: "ab12cd34" })
const parent = aProcess(["/usr/bin/runner"])

function aSubject(changes: Partial<Subject> = {}): Subject {
  return { class: "reverse_tunnel", remote: bastion, process: agent, ancestors: [parent], ...changes }
}

function rules(...approved: Partial<PolicyRule>[]) {
  return policy({
    approved: approved.map((rule) => ({ destination: "203.0.113.0/24", reason: "the bastion of ops", ...rule })),
    suppressed: [],
    denied: [],
  })
}

describe("a rule", () => {
  it("approves with its place and reason", () => {
    expect(rules({}).judge(aSubject())).toEqual({
      status: "expected",
      reason: "the bastion of ops",
      rule: "policy.approved[0]",
    })
  })

  it.each<[string, Partial<PolicyRule>, Partial<PolicyRule>]>([
    ["network", { destination: "203.0.113.0/24" }, { destination: "203.0.114.0/24" }],
    ["address", { destination: "203.0.113.9" }, { destination: "203.0.113.8" }],
    ["port", { destination: "203.0.113.9:443" }, { destination: "203.0.113.9:22" }],
    ["class", { classes: ["reverse_tunnel"] }, { classes: ["reverse_shell", "tunnel_intent"] }],
    ["program", { identity: { exe: "/opt/*/bin/agent" } }, { identity: { exe: "/opt/*/agent" } }],
    ["user", { identity: { uid: 997 } }, { identity: { uid: 0 } }],
    ["container", { identity: { container: "ab12" } }, { identity: { container: "b12c" } }],
    ["arguments", { identity: { argv: "*--join *" } }, { identity: { argv: "--join *" } }],
    ["ancestor", { identity: { ancestor: "/usr/bin/runner" } }, { identity: { ancestor: "/usr/bin/run" } }],
    ["every part", { identity: { uid: 997, container: "ab" } }, { identity: { uid: 997, container: "ff" } }],
  ])("tells by %s", (_, holds, fails) => {
    expect(rules(holds).judge(aSubject())).toBeDefined()
    expect(rules(fails).judge(aSubject())).toBeUndefined()
  })

  it("holds for nobody who is not known, and for nothing without a far end", () => {
    expect(rules({ identity: { uid: 997 } }).judge(aSubject({ process: undefined }))).toBeUndefined()
    expect(rules({ identity: { container: "" } }).judge(aSubject({ process: parent }))).toBeUndefined()
    expect(rules({}).judge(aSubject({ remote: undefined }))).toBeUndefined()
  })

  it("knows a program whose file an upgrade replaced", () => {
    const replaced = { ...agent, exe: `${agent.exe} (deleted)` }
    expect(rules({ identity: { exe: "/opt/teleport/bin/agent" } }).judge(aSubject({ process: replaced }))).toBeDefined()
  })

  it("wins when it is the first that holds, denied before approved before suppressed", () => {
    expect(rules({ destination: "10.0.0.0/8" }, {}, {}).judge(aSubject())?.rule).toBe("policy.approved[1]")
    const rule = { destination: "0.0.0.0/0", reason: "noise" }
    const lists = { denied: [], approved: [], suppressed: [rule] }
    expect(policy(lists).judge(aSubject())).toMatchObject({ status: "suppressed" })
    expect(policy({ ...lists, approved: [rule] }).judge(aSubject())).toMatchObject({ status: "expected" })
    expect(policy({ ...lists, approved: [rule], denied: [rule] }).judge(aSubject())).toMatchObject({ status: "denied" })
  })

  it("that cannot be read is refused by its place", () => {
    expect(() => rules({}, { destination: "bastion.example" })).toThrow(/policy\.approved\[1\]: "bastion\.example"/)
  })
})

describe("parseDestination", () => {
  it.each([
    ["2001:db8::1", { address: "2001:db8::1", port: 9 }, true],
    ["[2001:db8::1]:443", { address: "2001:db8::1", port: 443 }, true],
    ["[2001:db8::1]:443", { address: "2001:db8::1", port: 22 }, false],
    ["[2001:db8::/32]:443", { address: "2001:db8::7", port: 443 }, true],
    ["203.0.113.0/24:22", { address: "203.0.113.77", port: 22 }, true],
    ["0.0.0.0/0", { address: "2001:db8::7", port: 22 }, false],
  ])("%s against %o: %s", (text, endpoint, expected) => {
    const destination = parseDestination(text)
    expect(destination && isAt(endpoint, destination)).toBe(expected)
  })

  it.each(["", "host", "host:22", "203.0.113.9:0", "203.0.113.9:65536", "[::1", "::1]:22", "203.0.113.9:"])(
    "refuses %j",
    (text) => {
      expect(parseDestination(text)).toBeUndefined()
    },
  )
})

describe("wildcards", () => {
  it.each([
    ["/usr/bin/ssh", "/usr/bin/ssh", true],
    ["/usr/*/ssh", "/usr/bin/ssh", true],
    ["/usr/*", "/usr/bin/ssh", false],
    ["/usr/**", "/usr/bin/ssh", true],
    ["/**/ssh", "/usr/local/bin/ssh", true],
    ["**", "/a/b", true],
    ["/usr/bin/s?h", "/usr/bin/ssh", true],
    ["/usr/bin/s?h", "/usr/bin/s/h", false],
    ["/usr/bin/*ssh*", "/usr/bin/autossh-x", true],
  ])("%s against %s: %s", (pattern, path, expected) => {
    expect(matchesPath(pattern, path)).toBe(expected)
  })

  it("agree with a regular expression", () => {
    const letters = fc.array(fc.constantFrom("a", "b", "*", "?"), { maxLength: 8 }).map((all) => all.join(""))
    const text = fc.array(fc.constantFrom("a", "b"), { maxLength: 10 }).map((all) => all.join(""))
    fc.assert(
      fc.property(letters, text, (pattern, against) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`)
        expect(matchesText(pattern, against)).toBe(expression.test(against))
      }),
    )
  })
})
