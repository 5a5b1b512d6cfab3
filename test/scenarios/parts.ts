import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { storedConnections } from "../lab/connections.js"
import type { StoredConnection } from "../lab/connections.js"
import { backflow, collector } from "../lab/executables.js"
import { waitForLine } from "../lab/processes.js"

/** One of the two programs, run by itself. */
export class Part {
  readonly #child: ChildProcess
  #output = ""

  constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()))
  }

  /** Everything that it has printed. */
  output(): string {
    return this.#output
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

  connections(): readonly StoredConnection[] {
    return storedConnections(this.#state)
  }
}

/** Starts `backflow analyzer` on a socket and a state in the folder; resolves when it listens. */
export async function startAnalyzer(folder: string): Promise<Analyzer> {
  const state = join(folder, "state")
  const child = spawn(process.execPath, [
    backflow,
    "analyzer",
    "--state",
    state,
    "--listen",
    `unix:${join(folder, "socket")}`,
  ])
  const analyzer = new Analyzer(child, state)
  await waitForLine(child, "ready")
  return analyzer
}

/** Starts the collector against the socket in the folder; resolves when its first snapshot is durable. */
export async function startCollector(folder: string, options: readonly string[] = []): Promise<Part> {
  const child = spawn(collector, ["--analyzer", `unix:${join(folder, "socket")}`, ...options])
  const part = new Part(child)
  await waitForLine(child, '{"ready":true')
  return part
}
