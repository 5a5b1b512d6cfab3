import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, openSync, readSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { storedConnections } from "./connections.js"
import type { StoredConnection } from "./connections.js"
import { backflow } from "./executables.js"

const pollMs = 20

/** The parts of proto/finding.schema.json that the lab judges. */
export interface LabFinding {
  readonly id: string
  readonly version: number
  readonly class: string
  readonly severity: string
  readonly status: string
  readonly summary: string
  readonly process: {
    readonly pid: number
    readonly exe: string
    readonly argv: readonly string[]
    readonly ancestors: readonly { readonly pid: number }[]
  }
  /** Null while a claim is about none. */
  readonly connection: {
    readonly cookie: string
    readonly netns: number
    readonly opened_at: string
  } | null
  readonly evidence: readonly { readonly kind: string }[]
}

/** A finding version and the wall clock at which it could be read from outside, in microseconds. */
export interface Arrival {
  readonly finding: LabFinding
  readonly atUs: number
}

/** A running `backflow up` and the findings that it appends to a file. */
export class Watch {
  readonly #child: ChildProcess
  readonly #state: string
  readonly #file: string
  readonly arrivals: Arrival[] = []
  #descriptor: number | undefined
  #rest = ""
  #offset = 0
  // What arrives is stamped at once, whatever a case is waiting for meanwhile.
  readonly #polling = setInterval(() => this.poll(), pollMs)

  private constructor(child: ChildProcess, state: string, file: string) {
    this.#child = child
    this.#state = state
    this.#file = file
  }

  /** Resolves when it reports that it is ready. There are sockets in `state`: its path has to be a short one. */
  static async start(
    folder: string,
    options: readonly string[] = [],
    state: string = join(folder, "state"),
  ): Promise<Watch> {
    const file = join(folder, "findings.jsonl")
    const words = ["up", "--state", state, "--findings-jsonl", file, ...options]
    const child = spawn(process.execPath, [backflow, ...words], { stdio: ["ignore", "pipe", "pipe"] })
    const watch = new Watch(child, state, file)
    let output = ""
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()))
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes("\nready") || output.startsWith("ready")) resolve()
      })
      child.once("exit", (code) => {
        clearInterval(watch.#polling)
        reject(new Error(`backflow up ended (${code ?? "killed"}): ${output.slice(-1500)}`))
      })
    })
    return watch
  }

  /** Reads what has arrived since the last poll. */
  poll(): void {
    if (this.#descriptor === undefined) {
      if (!existsSync(this.#file)) return
      this.#descriptor = openSync(this.#file, "r")
    }
    const chunk = Buffer.alloc(1 << 16)
    for (let count; (count = readSync(this.#descriptor, chunk, 0, chunk.length, this.#offset)) > 0;) {
      this.#offset += count
      this.#rest += chunk.toString("utf8", 0, count)
    }
    const lines = this.#rest.split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) this.arrivals.push({ finding: JSON.parse(line) as LabFinding, atUs: Date.now() * 1000 })
  }

  /** Resolves with the first finding version from `from` on that matches; undefined after `limitMs`. */
  async find(from: number, matches: (finding: LabFinding) => boolean, limitMs: number): Promise<Arrival | undefined> {
    const end = Date.now() + limitMs
    for (;;) {
      const found = this.arrivals.slice(from).find(({ finding }) => matches(finding))
      if (found !== undefined || Date.now() > end) return found
      await pause(pollMs)
    }
  }

  /** Every connection in the store, each once. */
  connections(): readonly StoredConnection[] {
    return storedConnections(this.#state)
  }

  /** Interrupts it and returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    clearInterval(this.#polling)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode
    const exited = once(this.#child, "exit")
    this.#child.kill(signal)
    await exited
    return this.#child.exitCode
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("backflow up did not start")
    return this.#child.pid
  }
}
