import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, test } from "vitest"
import { severities } from "@backflow/analyzer/domain/finding"
import { insideByDefault } from "@backflow/analyzer/domain/networks"
import { severities as severitiesOfPage } from "../../dashboards/page/src/live/severity.js"

const bridge = join(import.meta.dirname, "..", "..", "agent-bridge")
const read = (...path: readonly string[]): string => readFileSync(join(bridge, ...path), "utf8")

test("the page orders severities as the analyzer does", () => {
  expect(severitiesOfPage).toEqual(severities)
})

describe("what is written in two languages", () => {
  it("counts the same networks as inside in the collector and in the analyzer", () => {
    const body = /pub fn inside_by_default\(\)[^]*?\n\}/.exec(read("src", "kernel", "maps.rs"))?.[0] ?? ""
    const networks = [...body.matchAll(/v[46]\("([^"]+)", (\d+)\)/g)].map(
      ([, address, bits]) => `${address ?? ""}/${bits ?? ""}`,
    )
    expect(networks.sort()).toEqual([...insideByDefault].sort())
  })

  it("numbers a process's own group with the same factor and mask in the kernel and in user space", () => {
    const numbers = (text: string): string[] =>
      [...text.matchAll(/0x[0-9a-f_]{8,}/gi)].map(([hex]) => hex.replaceAll("_", "").toLowerCase())
    const kernel = /own_group\([^]*?\n\}/.exec(read("bpf", "groups.bpf.h"))?.[0] ?? ""
    const user = /fn own_group\([^]*?\n\}/.exec(read("src", "inspect", "inspector.rs"))?.[0] ?? ""
    expect(numbers(kernel)).toHaveLength(2)
    expect(numbers(user)).toEqual(numbers(kernel))
  })
})
