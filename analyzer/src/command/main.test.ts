import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { loadConfig } from "../config/load.js"
import { aRow, anOutput } from "../testing/outputs.js"
import { StoreSink } from "../store/store-sink.js"
import { openConfiguredStore } from "../store/from-config.js"
import { commands } from "./cli/help.js"
import { main } from "./main.js"
import type { Terminal } from "./cli/terminal.js"
import { startUs } from "../testing/time.js"
import { aFinding, anIncident, idOf } from "../testing/findings.js"

let state: string

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "backflow-command-"))
})

afterEach(() => {
  rmSync(state, { recursive: true, force: true })
})

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  let [out, notes] = ["", ""]
  const terminal: Terminal = {
    out: (text) => void (out += text),
    note: (text) => void (notes += `${text}\n`),
    colour: false,
    environment,
    nowUs: () => startUs + 60_000_000,
  }
  const code = await main(args, terminal)
  return { code, out, notes }
}

describe("help", () => {
  it.each(commands.map(({ name }) => name))("of %s has examples and exit codes", async (name) => {
    const { code, out } = await run([name, "--help"])
    expect(code).toBe(0)
    expect(out).toContain(`Usage: backflow ${name}`)
    expect(out).toMatch(/Examples:\n {2}(sudo )?backflow/)
    expect(out).toContain("4   another process uses the state folder")
  })

  it.each([["--help"], ["-h"], ["help"]])("of everything is given for %s", async (word) => {
    const { code, out } = await run([word])
    expect(code).toBe(0)
    for (const { name } of commands) expect(out).toContain(`  ${name}`)
  })

  it("keeps to 120 columns", async () => {
    const texts = await Promise.all(
      [["--help"], ...commands.map(({ name }) => [name, "--help"])].map((args) => run(args)),
    )
    expect(texts.flatMap(({ out }) => out.split("\n")).filter((line) => line.length > 120)).toEqual([])
  })
})

describe("a command line that is wrong", () => {
  it.each([
    [["findngs"], 'There is no command "findngs".\nDid you mean findings?'],
    [["frobnicate"], 'There is no command "frobnicate".\nSee: backflow --help.'],
    [["findings", "--sevrity", "high"], 'There is no option "--sevrity".\nDid you mean --severity?'],
    [["connections", "--severity", "high"], 'There is no option "--severity".\nSee: backflow connections --help.'],
    [
      ["findings", "--severity", "urgent"],
      '--severity takes info, low, medium, high, critical, not "urgent".\nSee: backflow findings --help.',
    ],
    [
      ["findings", "--class", "x"],
      '--class takes reverse_tunnel, reverse_shell, long_lived_ssh, ssh_role_inversion, inverted_flow, tunnel_intent, blinding, host_blind, not "x".\nSee: backflow findings --help.',
    ],
    [
      ["findings", "--since", "noon"],
      '--since takes a span such as 2h or a moment such as 2026-11-23T06:00Z, not "noon".\nSee: backflow findings --help.',
    ],
    [
      ["findings", "--limit", "0"],
      '--limit takes a whole number from 1 to 100000, not "0".\nSee: backflow findings --help.',
    ],
    [["findings", "now"], 'backflow findings takes no argument, and "now" was given.\nSee: backflow findings --help.'],
    [["check-config", "a", "b"], "backflow check-config takes one [FILE].\nSee: backflow check-config --help."],
  ])("%j is a usage error with what to do", async (args, message) => {
    const { code, notes, out } = await run(args)
    expect({ code, out, notes }).toEqual({ code: 2, out: "", notes: `backflow: ${message}\n` })
  })

  it("with an option that lacks its value is a usage error", async () => {
    const { code, notes } = await run(["findings", "--since"])
    expect(code).toBe(2)
    expect(notes).toMatch(/^backflow: Option '--since <value>' argument missing/)
  })
})

describe("check-config", () => {
  const file = (text: string) => {
    const path = join(state, "backflow.yaml")
    writeFileSync(path, text)
    return path
  }

  it("says ok", async () => {
    const path = file("inside: [10.0.0.0/8]")
    expect(await run(["check-config", path])).toEqual({ code: 0, out: `${path} is ok.\n`, notes: "" })
  })

  it("names every error", async () => {
    const { code, out } = await run(["check-config", file("stor: {}\nlisten: { address: x }")])
    expect(code).toBe(3)
    expect(out.trimEnd().split("\n").sort()).toEqual([
      'listen.address: "x" is no address to listen on: write 127.0.0.1:4410, [::1]:4410 or unix:/path',
      "stor: is not known: did you mean store?",
    ])
  })

  it("says it to a program", async () => {
    const { code, out } = await run(["check-config", "--json"], { BACKFLOW_STAT: "x" })
    expect(code).toBe(3)
    expect(JSON.parse(out)).toEqual({
      ok: false,
      problems: [{ path: "BACKFLOW_STAT", message: "is not known: did you mean BACKFLOW_STATE?" }],
    })
  })

  it("names a state folder that a start would refuse", async () => {
    const open = join(state, "open")
    mkdirSync(open)
    chmodSync(open, 0o777)
    const { code, out } = await run(["check-config", file(`state: ${open}`)])
    expect(code).toBe(3)
    expect(out).toContain(`state: ${open} can be written by other users. `)
  })

  it("is what a start would say", async () => {
    const { code, notes } = await run(["findings", "--config", file("stor: {}")])
    expect(code).toBe(3)
    expect(notes).toContain("\n  stor is not known: did you mean store?")
  })
})

describe("lists", () => {
  const low = aFinding({
    id: idOf(1),
    severity: "low",
    detectedAtUs: startUs - 1,
    class: "inverted_flow",
  })

  async function fill(): Promise<void> {
    const store = await openConfiguredStore(loadConfig({ environment: {}, flags: { state } }))
    const closed = aRow(
      { cookie: "00000000000003e9", closed: "closed", remote: { address: "2001:db8::1", port: 22 } },
      "closed",
    )
    const output = anOutput(1, {
      connections: [aRow(), closed],
      findings: [aFinding(), low],
      incidents: [anIncident()],
    })
    await new StoreSink(store, () => startUs).write([output])
    await store.close()
  }

  it("of nothing say so, and make no store", async () => {
    expect(await run(["findings", "--state", state])).toEqual({ code: 0, out: "", notes: "No findings match.\n" })
    expect(await run(["incidents", "--state", state, "--json"])).toEqual({ code: 0, out: "", notes: "" })
  })

  it("of findings end with the newest", async () => {
    await fill()
    const { code, out } = await run(["findings", "--state", state])
    expect(code).toBe(0)
    expect(out.split("\n").filter((line) => line.startsWith("2026"))).toEqual([
      "2026-11-23 05:59:59.999 LOW      ssh lets 203.0.113.9 reach 127.0.0.1:8000 on build-7.",
      "2026-11-23 06:00:00.000 HIGH     ssh lets 203.0.113.9 reach 127.0.0.1:8000 on build-7.",
    ])
  })

  it("are JSON lines for a program, and filtered", async () => {
    await fill()
    const ids = async (...args: string[]) =>
      (await run(["findings", "--state", state, "--json", ...args])).out
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => (JSON.parse(line) as { id: string }).id)
    expect(await ids()).toEqual([aFinding().id, low.id])
    expect(await ids("--severity", "medium")).toEqual([aFinding().id])
    expect(await ids("--class", "inverted_flow")).toEqual([low.id])
    expect(await ids("--limit", "1")).toEqual([aFinding().id])
    expect(await ids("--since", "59s")).toEqual([])
    expect(await ids("--since", "2min")).toEqual([aFinding().id, low.id])
  })

  it("of connections show each on one line", async () => {
    await fill()
    const { out } = await run(["connections", "--state", state])
    const [closed, open] = out.trimEnd().split("\n").sort()
    expect(closed).toBe(
      "2026-11-23T06:00:00.000Z closed   tcp 10.1.2.3:50022 -> [2001:db8::1]:22  1 min, 4.1 kB sent, 1.2 kB received  build-7: ssh -N -R 8080:localhost:8000 ops@203.0.113.9 (4711)",
    )
    expect(open).toContain("open     tcp 10.1.2.3:50022 -> 203.0.113.9:443")
    expect((await run(["connections", "--state", state, "--open"])).out.split("\n")).toHaveLength(2)
  })

  it("of incidents tell the story", async () => {
    await fill()
    const { out } = await run(["incidents", "--state", state])
    expect(out.split("\n").map((line) => line.trim())).toEqual([
      "2026-11-23T06:00:00.000Z HIGH     open: ssh of uid 1000 on build-7 opened a way in.",
      "host       build-7, uid 1000, /usr/bin/ssh",
      "06:00:00.000 A reverse tunnel was used.",
      `incident   ${anIncident().id}`,
      "",
    ])
  })
})

describe("up and analyzer", () => {
  it("name a state folder that cannot be made", async () => {
    writeFileSync(join(state, "file"), "")
    const { code, notes } = await run(["analyzer", "--state", join(state, "file")])
    expect(code).toBe(3)
    expect(notes).toContain(`The state folder ${join(state, "file")} cannot be used`)
  })

  it("name a store that is unreachable", async () => {
    const { code, notes } = await run(["analyzer", "--state", state], { BACKFLOW_STORE_URL: "http://127.0.0.1:9" })
    expect(code).toBe(7)
    expect(notes).toMatch(/^backflow: The ClickHouse server at http:\/\/127.0.0.1:9 cannot be used: .*ECONNREFUSED/)
    expect(notes).not.toContain("undefined")
  })

  it("name a token file that is not there", async () => {
    const environment = { BACKFLOW_LISTEN_TOKEN_FILE: join(state, "none"), BACKFLOW_LISTEN_ADDRESS: "127.0.0.1:0" }
    const { code, notes } = await run(["analyzer", "--state", state], environment)
    expect(code).toBe(3)
    expect(notes).toContain("listen.token_file cannot be read")
  })
})
