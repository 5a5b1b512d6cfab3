import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { FakeCollector } from "../../testing/fake-collector.js"
import { batch, connections, flags, hello, process as processFacts } from "../../testing/wire-messages.js"
import { aHost } from "../../testing/hosts.js"

// The compiled program, as people start it: signals, exit codes and locks belong to processes.
const program = fileURLToPath(new URL("../../../bin/backflow.js", import.meta.url))

/** One run of backflow, and every line that it says. */
class Run {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly ended: Promise<number | null>
  #waiting: (() => void)[] = []

  constructor(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    // The environment of the test run may hold BACKFLOW_ variables of its own.
    this.child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env["PATH"], ...variables } })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream === null) throw new Error("started without pipes")
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line)
        for (const wake of this.#waiting.splice(0)) wake()
      })
    }
    this.ended = once(this.child, "close").then(([code]) => {
      for (const wake of this.#waiting.splice(0)) wake()
      return code as number | null
    })
  }

  /** The first line that matches; rejects when the process ends without one. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line))
      if (found !== undefined) return found
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.lines.join("\n")}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Ready, and where it listens. */
  async ready(): Promise<string> {
    return (await this.line(/^ready/)).split(" on ")[1] ?? ""
  }

  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.child.kill(signal)
    return this.ended
  }

  /** A collector that outlives it keeps its pipes open, so their end is not waited for. */
  async kill(): Promise<void> {
    const exit = once(this.child, "exit")
    this.child.kill("SIGKILL")
    await exit
  }
}

const token = "0123456789abcdef"
let folder: string
let tokenFile: string
let runs: Run[]

function backflow(...args: string[]): Run {
  const run = new Run(args, { BACKFLOW_LISTEN_TOKEN_FILE: tokenFile })
  runs.push(run)
  return run
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-watch-"))
  tokenFile = join(folder, "token")
  writeFileSync(tokenFile, `${token}\n`)
  runs = []
})

afterEach(async () => {
  await Promise.all(
    runs.filter(({ child }) => child.exitCode === null && child.signalCode === null).map((run) => run.kill()),
  )
  rmSync(folder, { recursive: true, force: true })
})

const stateOf = (name: string) => ["--state", join(folder, name)]
const anyPort = ["--listen", "127.0.0.1:0"]

/** One connection a batch, asked for with a tunnel. */
function tunnelBatch(seq: number): Buffer {
  const records = [{ cookie: seq.toString(16), process: 1, flags: flags.moved, bytesSent: seq }]
  const argv = ["ssh", "-N", "-R", "8080:localhost:80", "far"]
  return batch(seq, { processes: [processFacts(1, 4_711, { argv })], connections: connections(records) })
}

async function list(name: string, which = "connections"): Promise<Record<string, unknown>[]> {
  const run = backflow(which, ...stateOf(name), "--json")
  expect(await run.ended).toBe(0)
  return run.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe("backflow analyzer", () => {
  it("stores, tells and lists what a collector sends, and stops with nothing lost", async () => {
    const jsonl = join(folder, "findings.jsonl")
    const run = backflow("analyzer", ...stateOf("a"), ...anyPort, "--findings-jsonl", jsonl)
    const collector = new FakeCollector(await run.ready(), token)
    collector.send(hello())
    collector.send(tunnelBatch(1))
    await collector.acknowledged(1)
    await run.line(/MEDIUM .*-R 8080:localhost:80/)
    expect(JSON.parse(readFileSync(jsonl, "utf8").split("\n")[0] ?? "")).toMatchObject({
      class: "tunnel_intent",
      version: 1,
    })
    expect(await list("a")).toMatchObject([
      { host: aHost().hostName, remote: "203.0.113.9", bytes_sent: 1, closed: "open" },
    ])
    expect(await list("a", "findings")).toMatchObject([{ class: "tunnel_intent", process: { pid: 4_711 } }])
    expect(await run.stop("SIGINT")).toBe(0)
    expect(run.lines.at(-1)).toMatch(/^stored 1 batches/)
    expect(await list("a")).toHaveLength(1)
  })

  it("holds every connection once after kill -9 and batches sent again", async () => {
    const first = backflow("analyzer", ...stateOf("a"), ...anyPort)
    const collector = new FakeCollector(await first.ready(), token)
    collector.send(hello())
    for (let seq = 1; seq <= 40; seq++) collector.send(tunnelBatch(seq))
    await collector.acknowledged(1)
    await first.kill()

    const second = backflow("analyzer", ...stateOf("a"), ...anyPort)
    const again = new FakeCollector(await second.ready(), token)
    again.send(hello())
    for (let seq = 1; seq <= 50; seq++) again.send(tunnelBatch(seq))
    await again.acknowledged(50)
    expect(await second.stop()).toBe(0)
    // The finding goes on in its versions, and is still one.
    expect(await list("a", "findings")).toMatchObject([{ class: "tunnel_intent", version: 2, status: "updated" }])
    const cookies = (await list("a")).map(({ cookie }) => Number.parseInt(String(cookie), 16))
    expect(cookies.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })

  it("writes findings as JSON lines alone to standard output with --findings-jsonl -", async () => {
    const run = backflow("analyzer", ...stateOf("a"), ...anyPort, "--findings-jsonl", "-")
    let out = ""
    run.child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")))
    const collector = new FakeCollector(await run.ready(), token)
    collector.send(hello())
    collector.send(tunnelBatch(1))
    await run.line(/^\{/)
    expect(await run.stop()).toBe(0)
    const lines = out.split("\n").filter((line) => line !== "")
    expect(lines.map((line) => (JSON.parse(line) as { class: string }).class)).toContain("tunnel_intent")
  })

  it("runs beside another with other state, and refuses the same", async () => {
    const [one, two] = [
      backflow("analyzer", ...stateOf("a"), ...anyPort),
      backflow("analyzer", ...stateOf("b"), ...anyPort),
    ]
    const addresses = await Promise.all([one.ready(), two.ready()])
    expect(new Set(addresses).size).toBe(2)
    const third = backflow("analyzer", ...stateOf("a"), ...anyPort)
    expect(await third.ended).toBe(4)
    expect(third.lines).toEqual([
      `backflow: The state folder ${join(folder, "a")} is in use by process ${one.child.pid ?? 0}.`,
      "Stop that process, or name another folder with --state.",
    ])
    expect(await Promise.all([one.stop(), two.stop()])).toEqual([0, 0])
  })

  it("says that a port is taken, and leaves nothing locked", async () => {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const run = backflow("analyzer", ...stateOf("a"), "--listen", address)
    expect(await run.ended).toBe(5)
    expect(run.lines.join("\n")).toMatch(new RegExp(`^backflow: ${address} is in use by another program.\n`))
    expect(existsSync(join(folder, "a", "lock"))).toBe(false)
    server.close()
  })

  it("refuses a port of loopback without a token, and says how to make one", async () => {
    const run = new Run(["analyzer", ...stateOf("a")], {})
    runs.push(run)
    expect(await run.ended).toBe(3)
    expect(run.lines.join("\n")).toMatch(
      /listen on 127\.0\.0\.1:4410: listen\.token_file is missing.*\n.*openssl rand -hex 32/,
    )
  })

  it("refuses collectors from outside without TLS", async () => {
    const run = backflow("analyzer", ...stateOf("a"), "--listen", "0.0.0.0:0")
    expect(await run.ended).toBe(3)
    expect(run.lines.join("\n")).toContain("listen.tls is missing")
  })
})

// The stand-in observes nothing, but `up` asks for the rights that the real one needs.
describe.runIf(process.getuid?.() === 0)("backflow up", () => {
  function collector(script: string): string[] {
    const path = join(folder, "collector.sh")
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return ["--collector", path]
  }
  const ready = `echo '{"ready":true,"host":"h","kernel":"6.18","hooks":16,"degraded":["udp"]}'`
  const steady = (last: string) => `trap '${last}; exit 0' TERM\n${ready}\nwhile :; do sleep 0.05; done`

  it("says what it watches, and lets the collector hand over before it stops", async () => {
    const run = backflow("up", ...stateOf("a"), ...collector(steady(`echo "$@" > ${folder}/handed-over`)))
    await run.line(/^ready, watching every connection of h \(Linux 6.18\) through 16 hooks$/)
    await run.line(/degraded +udp/)
    expect(await run.stop("SIGINT")).toBe(0)
    expect(readFileSync(join(folder, "handed-over"), "utf8")).toBe(
      `--analyzer unix:${join(folder, "a", "collector.sock")} --token-file ${tokenFile}\n`,
    )
  })

  it("ends the collector that a killed run left behind, after that has handed over", async () => {
    const script = steady(`echo handed over >> ${folder}/ends`)
    const first = backflow("up", ...stateOf("a"), ...collector(script))
    await first.ready()
    await first.kill()
    const second = backflow("up", ...stateOf("a"), ...collector(script))
    await second.ready()
    expect(second.lines[0]).toBe("stopped the orphaned collector of an earlier run, which was killed")
    expect(readFileSync(join(folder, "ends"), "utf8")).toBe("handed over\n")
    expect(await second.stop()).toBe(0)
  })

  it("counts a signal that was forwarded once", async () => {
    const run = backflow("up", ...stateOf("a"), ...collector(steady("sleep 0.2")))
    await run.ready()
    run.child.kill("SIGINT")
    expect(await run.stop("SIGINT")).toBe(0)
  })

  it.each([
    ["is not there", undefined, 10, /^backflow: The collector .*nowhere cannot be started: ENOENT/],
    ["may not observe", "echo 'backflow-collector: it lacks CAP_BPF' >&2; exit 3", 6, /^backflow: It lacks CAP_BPF\./],
    ["breaks", "echo 'backflow-collector: no connection' >&2; exit 1", 11, /^backflow: No connection\./],
  ])("ends when the collector %s", async (_what, script, code, message) => {
    const how = script === undefined ? ["--collector", join(folder, "nowhere")] : collector(script)
    const run = backflow("up", ...stateOf("a"), ...how)
    expect(await run.ended).toBe(code)
    expect(run.lines.find((line) => line.startsWith("backflow:"))).toMatch(message)
    expect(existsSync(join(folder, "a", "lock"))).toBe(false)
  })
})
