import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { accessSync, constants } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { AppError, messageOf } from "../errors.js"

/** What the collector says on its standard output once it observes. */
export interface Readiness {
  readonly ready: true
  readonly host_name?: string
  readonly kernel?: string
  readonly capabilities?: readonly string[]
  readonly degraded?: readonly { readonly feature: string; readonly consequence: string }[]
}

export interface CollectorOptions {
  readonly program: string
  readonly args: readonly string[]
  /** Lines of its log. */
  readonly onLog: (line: string) => void
  /** It observes; also after each new start. */
  readonly onReady: (readiness: Readiness) => void
  /** It ended without being asked, and is started again after the pause. */
  readonly onRestart: (how: string, pauseMs: number) => void
}

/** Where `cargo build --release` of this repository puts it. */
export const builtCollector = fileURLToPath(
  new URL("../../../agent-bridge/target/release/backflow-collector", import.meta.url),
)

/** First and longest pause before a collector that ended is started again; it doubles in between. */
const firstPauseMs = 1_000
const longestPauseMs = 30_000
/** A collector that observed for so long starts its pauses anew. */
const steadyMs = 60_000
/** How long a collector may take to hand over what it has, in milliseconds. */
const stopLimitMs = 15_000
/** Its last words, for the sentence that tells why it ended. */
const rememberedLines = 5

/** Keeps one collector running until it is stopped. */
export class CollectorChild {
  readonly #options: CollectorOptions
  #child: ChildProcess | undefined
  #isStopping = false
  #pause: { readonly timer: NodeJS.Timeout; readonly end: () => void } | undefined
  #pauseMs = firstPauseMs
  #hasObserved = false

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  /**
   * Runs until `stop`. Throws AppError "collector-missing" when there is no such program, and "host-unfit" when it ends
   * before it ever observed; after that it is started again however often it ends.
   */
  async run(): Promise<void> {
    const { program } = this.#options
    try {
      accessSync(program, constants.X_OK)
    } catch (thrown) {
      throw new AppError(
        "collector-missing",
        `The collector ${program} cannot be started: ${messageOf(thrown)}.`,
        "Build it with npm start, or name another with --collector.",
      )
    }
    while (!this.#isStopping) {
      const startedMs = performance.now()
      const ended = await this.#runOnce()
      // Set by stop(), which this loop cannot see coming.
      if (this.#isStopping as boolean) return
      if (!this.#hasObserved) throw new AppError("host-unfit", ended.reason, ended.remedy)
      if (performance.now() - startedMs > steadyMs) this.#pauseMs = firstPauseMs
      this.#options.onRestart(ended.reason, this.#pauseMs)
      await this.#wait(this.#pauseMs)
      this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs)
    }
  }

  /** Asks it to hand over what it has and end, and waits for that. False when it had to be killed. */
  async stop(): Promise<boolean> {
    this.#isStopping = true
    this.#pause?.end()
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return true
    const exit = once(child, "exit")
    child.kill("SIGTERM")
    let isKilled = false
    const timer = setTimeout(() => {
      isKilled = child.kill("SIGKILL")
    }, stopLimitMs)
    await exit
    clearTimeout(timer)
    return !isKilled
  }

  async #runOnce(): Promise<{ readonly reason: string; readonly remedy: string }> {
    // Its standard input is a pipe that ends with this process, however it ends: the sign for the collector to stop.
    const child = spawn(this.#options.program, this.#options.args, { stdio: ["pipe", "pipe", "pipe"] })
    this.#child = child
    const last: string[] = []
    createInterface({ input: child.stdout }).on("line", (line) => this.#hear(line))
    createInterface({ input: child.stderr }).on("line", (line) => {
      last.push(line)
      if (last.length > rememberedLines) last.shift()
      if (this.#hasObserved) this.#options.onLog(line)
    })
    child.stdin.on("error", () => undefined)
    const [code, signal] = await ending(child)
    const how = signal === null ? `ended with exit code ${code ?? "unknown"}` : `was ended by ${signal}`
    return { reason: last.length === 0 ? `The collector ${how}.` : last.join("\n"), remedy: `The collector ${how}.` }
  }

  #hear(line: string): void {
    const readiness = readinessOf(line)
    if (readiness === undefined) return
    this.#hasObserved = true
    this.#options.onReady(readiness)
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      const end = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#pause = { timer, end }
    })
  }
}

function ending(child: ChildProcess): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  return new Promise((resolve) => {
    child.once("error", () => resolve([null, null]))
    // "close" and not "exit": its last words may still be in the pipe.
    child.once("close", (code, signal) => resolve([code, signal]))
  })
}

function readinessOf(line: string): Readiness | undefined {
  try {
    const value: unknown = JSON.parse(line)
    const isReady = typeof value === "object" && value !== null && "ready" in value && value.ready === true
    return isReady ? (value as Readiness) : undefined
  } catch {
    return undefined
  }
}
