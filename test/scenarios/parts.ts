import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { saying } from "../lab/ground.js"
import { collector } from "../lab/watch.js"
import type { Closed } from "../lab/watch.js"

const program = join(import.meta.dirname, "..", "..", "analyzer", "bin", "backflow.js")

/** One of the two programs, run by itself. */
export class Part {
  readonly #child: ChildProcess
  #said = ""

  constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.#said += chunk.toString()))
  }

  /** Everything that it has printed. */
  said(): string {
    return this.#said
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL")
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM")
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = once(this.#child, "close")
    this.#child.kill(signal)
    await closed
  }
}

export class Analyzer extends Part {
  readonly #state: string

  constructor(child: ChildProcess, state: string) {
    super(child)
    this.#state = state
  }

  connections(): readonly Closed[] {
    const args = [program, "connections", "--state", this.#state, "--json", "--limit", "100000"]
    const text = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 29 })
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Closed)
  }
}

/** Starts `backflow analyzer` on a socket and a state in the folder; resolves when it listens. */
export async function startAnalyzer(folder: string): Promise<Analyzer> {
  const state = join(folder, "state")
  const child = spawn(process.execPath, [
    program,
    "analyzer",
    "--state",
    state,
    "--listen",
    `unix:${join(folder, "socket")}`,
  ])
  const analyzer = new Analyzer(child, state)
  await saying(child, "ready")
  return analyzer
}

/** Starts the collector against the socket in the folder; resolves when its first snapshot is durable. */
export async function startCollector(folder: string, options: readonly string[] = []): Promise<Part> {
  const child = spawn(collector, ["--analyzer", `unix:${join(folder, "socket")}`, ...options])
  const part = new Part(child)
  await saying(child, '{"ready":true')
  return part
}
