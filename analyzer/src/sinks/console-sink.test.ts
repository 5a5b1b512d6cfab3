import { Writable } from "node:stream"
import { describe, expect, it } from "vitest"
import type { Finding } from "../domain/finding.js"
import { ConsoleSink } from "./console-sink.js"
import { anOutput } from "../testing/outputs.js"
import { startUs } from "../testing/time.js"
import { aFinding } from "../testing/findings.js"

async function tell(findings: readonly Finding[], colour = false): Promise<string> {
  let text = ""
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString("utf8")
      done()
    },
  })
  const sink = new ConsoleSink(stream, colour)
  for (const [i, finding] of findings.entries()) await sink.write([anOutput(i + 1, { findings: [finding] })])
  return text
}

describe("a new finding", () => {
  it("is shown in full, the claim first", async () => {
    const lines = (await tell([aFinding()])).split("\n").map((line) => line.trimEnd())
    expect(lines).toEqual([
      "06:00:00.000 HIGH     ssh lets 203.0.113.9 reach 127.0.0.1:8000 on build-7.",
      "         process    ssh -N -R 8080:localhost:8000 ops@203.0.113.9",
      "                    pid 4711, uid 1000, /usr/bin/ssh, host build-7",
      "         started by bash ./fix-build.sh (4700)",
      "         connection 10.1.2.3:50022 to 203.0.113.9:443, open for 1 min, 4.1 kB sent, 1.2 kB received",
      "         evidence   37 bytes of framing in each of 12 turns from 203.0.113.9:443 to 127.0.0.1:8000.",
      "         finding    reverse_tunnel, score 0.97, confidence 0.90, T1572",
      "                    6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11",
      "",
    ])
  })

  it("says that policy expects it", async () => {
    expect(await tell([aFinding({ status: "expected", severity: "info" })])).toContain("INFO     expected: ssh lets")
  })

  it("cannot command the terminal", async () => {
    const process = {
      ...aFinding().process,
      argv: ["\u001b]0;x\u0007", "\u009b2J"],
      exe: "/tmp/\u001bc",
      containerId: "\u001b",
    }
    const evidence = [{ kind: "ssh", text: "\u001b[1A\r", atUs: startUs, facts: {} }] as const
    const host = { id: "h", name: "\u001b[2J", bootId: "b" }
    const text = await tell([aFinding({ process, evidence, host, summary: "\u001b[8m\u202e" })])
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  it("is coloured for a terminal alone", async () => {
    expect(await tell([aFinding()], true)).toContain("\u001b[31mHIGH    \u001b[0m")
    expect(await tell([aFinding()], false)).not.toContain("\u001b")
  })
})

describe("a later version", () => {
  const first = aFinding()
  const later = (changes: Partial<Finding>) =>
    aFinding({ version: 2, status: "updated", detectedAtUs: startUs + 1_000_000, ...changes })
  const lineCount = async (finding: Finding) => (await tell([first, finding])).split("\n").length - 9

  it("is shown in short after a minute", async () => {
    const text = await tell([first, later({ detectedAtUs: startUs + 60_000_000, score: 0.98 })])
    expect(text.split("\n").slice(8)).toEqual([
      "06:01:00.000 HIGH     updated: ssh lets 203.0.113.9 reach 127.0.0.1:8000 on build-7.",
      "         version 2, score 0.98, 4.1 kB sent, 1.2 kB received, 6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11",
      "",
    ])
  })

  it.each([
    ["nothing new within a minute", later({}), 0],
    ["the same version", { ...first }, 0],
    ["an older version", aFinding({ version: 0, detectedAtUs: startUs + 90_000_000 }), 0],
    ["another severity", later({ severity: "critical" }), 8],
    ["its end", later({ status: "closed" }), 2],
  ])("with %s takes %#", async (_what, finding, lines) => {
    expect(await lineCount(finding)).toBe(lines)
  })
})
