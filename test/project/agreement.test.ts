import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, test } from "vitest"
import { severities } from "@backflow/analyzer/domain/severity"
import { insideByDefault, sharedByDefault } from "@backflow/analyzer/domain/networks"
import { proofSizes } from "@backflow/analyzer/detectors/proof/judge"
import { protocolVersion } from "@backflow/analyzer/ingest/decode/decode"
import { severities as severitiesOfPage } from "../../dashboards/page/src/live/severity.js"

const root = join(import.meta.dirname, "..", "..")
const bridge = join(root, "agent-bridge")
/** Where the analyzer has ssh's options and the names of SSH clients. */
const sshPrograms = join(root, "analyzer", "src", "detectors", "ssh-client", "programs.ts")
const read = (...path: readonly string[]): string => readFileSync(join(bridge, ...path), "utf8")

test("the page orders severities as the analyzer does", () => {
  expect(severitiesOfPage).toEqual(severities)
})

describe("what is written in two languages", () => {
  it.each([
    ["inside_by_default", insideByDefault],
    ["shared_by_default", sharedByDefault],
  ])("has the same networks %s in the collector and in the analyzer", (name, ofAnalyzer) => {
    const body = new RegExp(`fn ${name}\\(\\)[^]*?\\n\\}`).exec(read("src", "kernel", "networks.rs"))?.[0] ?? ""
    const networks = [...body.matchAll(/v[46]\("([^"]+)", (\d+)\)/g)].map(
      ([, address, bits]) => `${address ?? ""}/${bits ?? ""}`,
    )
    expect(networks.sort()).toEqual([...ofAnalyzer].sort())
  })

  // src/prove/sizes.rs has a test with the same file.
  it("gives a proof's turns the same sizes in the collector and in the analyzer", () => {
    const { nonce, ...sizes } = JSON.parse(readFileSync(join(root, "proto", "proof-sizes.json"), "utf8")) as {
      nonce: string
      forward: number[]
      backward: number[]
    }
    expect(proofSizes(nonce)).toEqual(sizes)
  })

  it("speaks the same version of the protocol", () => {
    const [, collector] = /const PROTOCOL: u32 = (\d+);/.exec(read("src", "export", "stream.rs")) ?? []
    expect(Number(collector)).toBe(protocolVersion)
  })

  it("numbers a process's own group with the same factor and mask in the kernel and in user space", () => {
    const numbers = (text: string): string[] =>
      [...text.matchAll(/0x[0-9a-f_]{8,}/gi)].map(([hex]) => hex.replaceAll("_", "").toLowerCase())
    const kernel = /own_group\([^]*?\n\}/.exec(read("bpf", "groups.bpf.h"))?.[0] ?? ""
    const user = /fn own_group\([^]*?\n\}/.exec(read("src", "inspect", "inspector.rs"))?.[0] ?? ""
    expect(numbers(kernel)).toHaveLength(2)
    expect(numbers(user)).toEqual(numbers(kernel))
  })

  it("takes the same options of ssh for those with a value", () => {
    const [, collector = ""] = /const WITH_VALUE: &str = "(\w+)"/.exec(read("src", "host", "ssh_config.rs")) ?? []
    const [, grammar = ""] = /const openssh\b[^]*?options: "([\w:]+)"/.exec(readFileSync(sshPrograms, "utf8")) ?? []
    const analyzer = [...grammar.matchAll(/(\w):/g)].map(([, letter]) => letter)
    expect(analyzer.length).toBeGreaterThan(20)
    expect(collector.split(/(?=\w)/).sort()).toEqual(analyzer.sort())
  })

  it("takes the same programs for SSH clients", () => {
    const [, collector = ""] = /const PROGRAMS: [^=]+= \[([^\]]+)\]/.exec(read("src", "host", "ssh_config.rs")) ?? []
    const [, byName = ""] = /const byName\b[^=]*= \{([^}]+)\}/.exec(readFileSync(sshPrograms, "utf8")) ?? []
    // dbclient reads no ssh_config(5), which is what the collector looks for.
    const analyzer = [...byName.matchAll(/^\s*(\w+)/gm)].map(([, name]) => name).filter((name) => name !== "dbclient")
    expect(analyzer.length).toBeGreaterThan(1)
    expect([...collector.matchAll(/\w+/g)].map(([name]) => name).sort()).toEqual(analyzer.sort())
  })
})
