import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, openSync, readSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"

const root = join(import.meta.dirname, "..", "..")
const program = join(root, "analyzer", "bin", "backflow.js")
export const collector = join(root, "agent-bridge", "target", "release", "backflow-collector")
const lookEveryMs = 20

/** The parts of proto/finding.schema.json that the lab judges. */
export interface Found {
  readonly id: string
  readonly version: number
  readonly class: string
  readonly severity: string
  readonly status: string
  readonly summary: string
  readonly process: {
    readonly pid: number
    readonly exe: string
    readonly ancestors: readonly { readonly pid: number }[]
  }
  readonly connection: { readonly cookie: string }
  readonly evidence: readonly { readonly kind: string }[]
}

/** A finding version and the wall clock at which it could be read from outside, in microseconds. */
export interface Arrived {
  readonly finding: Found
  readonly atUs: number
}

export interface Closed {
  readonly protocol: string
  readonly cookie: string
  readonly local: string
  readonly local_port: number
  readonly remote: string
  readonly remote_port: number
  readonly initiator: string
  readonly bytes_sent: number
  readonly bytes_received: number
  readonly closed: "open" | "closed" | "vanished"
  readonly exe: string
  readonly pid: number
}

/** A running `backflow up` and the findings that it appends to a file. */
export class Watch {
  readonly #child: ChildProcess
  readonly #state: string
  readonly #file: string
  readonly arrived: Arrived[] = []
  #descriptor: number | undefined
  #rest = ""
  #offset = 0
  // What arrives is stamped at once, whatever a case is waiting for meanwhile.
  readonly #looking = setInterval(() => this.look(), lookEveryMs)

  private constructor(child: ChildProcess, state: string, file: string) {
    this.#child = child
    this.#state = state
    this.#file = file
  }

  /** Resolves when it says that it observes. */
  static async start(folder: string, options: readonly string[] = []): Promise<Watch> {
    const [state, file] = [join(folder, "state"), join(folder, "findings.jsonl")]
    const words = ["up", "--state", state, "--findings-jsonl", file, ...options]
    const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] })
    const watch = new Watch(child, state, file)
    let said = ""
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()))
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString()
        if (said.includes("\nready") || said.startsWith("ready")) resolve()
      })
      child.once("exit", (code) => reject(new Error(`backflow up ended (${code ?? "killed"}): ${said.slice(-1500)}`)))
    })
    return watch
  }

  /** Reads what has arrived since the last look. */
  look(): void {
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
    for (const line of lines) this.arrived.push({ finding: JSON.parse(line) as Found, atUs: Date.now() * 1000 })
  }

  /** Resolves with the first finding version from `from` on that is as wanted; undefined after `limitMs`. */
  async find(from: number, wanted: (finding: Found) => boolean, limitMs: number): Promise<Arrived | undefined> {
    const end = Date.now() + limitMs
    for (;;) {
      const found = this.arrived.slice(from).find(({ finding }) => wanted(finding))
      if (found !== undefined || Date.now() > end) return found
      await pause(lookEveryMs)
    }
  }

  /** Every connection in the store, each once. */
  connections(): readonly Closed[] {
    const args = [program, "connections", "--state", this.#state, "--json", "--limit", "100000"]
    const text = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 29 })
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Closed)
  }

  /** Asks it to stop and returns its exit code. */
  async stop(): Promise<number | null> {
    clearInterval(this.#looking)
    if (this.#child.exitCode !== null) return this.#child.exitCode
    const exited = once(this.#child, "exit")
    this.#child.kill("SIGINT")
    await exited
    return this.#child.exitCode
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("backflow up did not start")
    return this.#child.pid
  }
}
