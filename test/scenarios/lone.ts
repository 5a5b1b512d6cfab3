import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { saying } from "../lab/ground.js"
import { collector } from "../lab/watch.js"
import type { Closed } from "../lab/watch.js"

const program = join(import.meta.dirname, "..", "..", "analyzer", "bin", "backflow.js")

/** An analyzer and a collector that were started by themselves, as on different hosts. Both write below `folder`. */
export class Lone {
  readonly #folder: string
  #analyzer: ChildProcess | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  get #address(): string {
    return `unix:${join(this.#folder, "lone.sock")}`
  }

  get #state(): string {
    return join(this.#folder, "lone")
  }

  /** Resolves when it listens. */
  async startAnalyzer(): Promise<void> {
    const args = [program, "analyzer", "--listen", this.#address, "--state", this.#state]
    this.#analyzer = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
    await saying(this.#analyzer, "ready")
  }

  /** Ends it at once, in whatever it does. */
  async killAnalyzer(): Promise<void> {
    const child = this.#analyzer
    if (child === undefined) throw new Error("no analyzer was started")
    const exited = once(child, "exit")
    child.kill("SIGKILL")
    await exited
  }

  /** Resolves when the analyzer has stored its first snapshot. */
  async startCollector(...options: readonly string[]): Promise<ChildProcess> {
    const child = spawn(collector, ["--analyzer", this.#address, ...options], { stdio: ["ignore", "pipe", "pipe"] })
    await saying(child, '{"ready":true')
    return child
  }

  /** Asks it to stop and returns its exit code. */
  async stopAnalyzer(): Promise<number | null> {
    const child = this.#analyzer
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exited = once(child, "exit")
    child.kill("SIGINT")
    await exited
    return child.exitCode
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
