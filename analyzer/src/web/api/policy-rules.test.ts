import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { loadConfig } from "../../config/load.js"
import type { Finding } from "../../domain/finding.js"
import type { ProcessFacts } from "../../domain/identity.js"
import { policy } from "../../policy/policy.js"
import { findingJson } from "../../documents/finding-json.js"
import { policyRules } from "./policy-rules.js"
import { aProcess } from "../../testing/processes.js"
import { aFinding } from "../../testing/findings.js"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-policy-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What the configuration with these lines says of the process of the finding. */
function judged(lines: string, finding: Finding, changes: Partial<ProcessFacts> = {}) {
  const file = join(folder, "backflow.yaml")
  writeFileSync(file, lines)
  const config = loadConfig({ file, environment: {} })
  const { exe, argv, uid, containerId } = finding.process
  return policy(config.policy).judge({
    class: finding.class,
    remote: finding.connection.remote,
    process: aProcess(argv, { exe, uid, containerId, ...changes }),
    ancestors: [],
  })?.status
}

function linesOf(finding: Finding) {
  const lines = policyRules(findingJson(finding))
  if (lines === undefined) throw new Error("no lines")
  return lines
}

const hostile = [
  '/tmp/"; policy: {}',
  "/tmp/a\nb: c",
  "/tmp/#x",
  "/tmp/\u001b[2J",
  "/tmp/{{ x }}",
  "- /tmp/'a",
  "/tmp/é\u2028",
  "yes",
]

describe("policyRules", () => {
  it.each(["/usr/bin/ssh", ...hostile])("hold for the program %j, and for no other", (exe) => {
    const finding = aFinding({ process: { ...aFinding().process, exe, containerId: "c0ffee" } })
    const { approve, deny } = linesOf(finding)
    expect(judged(approve, finding)).toBe("expected")
    expect(judged(deny, finding)).toBe("denied")
    for (const other of [{ exe: "/usr/bin/other" }, { uid: 0 }, { containerId: "decaf" }])
      expect(judged(approve, finding, other)).toBeUndefined()
  })

  it("name a v6 destination with its port", () => {
    const connection = { ...aFinding().connection, remote: { address: "2001:db8::9", port: 443 } }
    const finding = aFinding({ connection })
    expect(linesOf(finding).approve).toContain('destination: "[2001:db8::9]:443"')
    expect(judged(linesOf(finding).approve, finding)).toBe("expected")
  })

  it("never take wildcards from a program's name", () => {
    const finding = aFinding({ process: { ...aFinding().process, exe: "/**" } })
    expect(linesOf(finding).approve).not.toContain("exe")
  })

  it("hold after the program was replaced", () => {
    const finding = aFinding({ process: { ...aFinding().process, exe: "/usr/bin/ssh (deleted)" } })
    expect(judged(linesOf(finding).deny, finding)).toBe("denied")
  })

  it("are not to be had without a connection", () => {
    const connection = { ...aFinding().connection, cookie: "" }
    expect(policyRules(findingJson(aFinding({ connection })))).toBeUndefined()
  })
})
