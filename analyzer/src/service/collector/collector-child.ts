import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { accessSync, constants } from "node:fs"
import { createInterface } from "node:readline"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { AppError, messageOf } from "../../errors.js"

/** What the collector writes to its standard output once it observes. */
export interface Readiness {
  readonly ready: true
  readonly host?: string
  readonly kernel?: string
  /** How many hooks are attached. */
  readonly hooks?: number
  /** Features that this kernel lacks; the log says what each costs. */
  readonly degraded?: readonly string[]
}

export interface CollectorOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly onStart: (pid: number) => void
  /** Lines of its log; those from before it observed come together with its readiness. */
  readonly onLog: (line: string) => void
  /** It observes; also after each new start. */
  readonly onReady: (readiness: Readiness) => void
  /** It ended by itself, and is restarted after the pause; with its last line or how it ended. */
  readonly onRestart: (lastLine: string, pauseMs: number) => void
}

/** Where `cargo build --release` of this repository puts it. */
export const builtCollector = fileURLToPath(
  new URL("../../../../agent-bridge/target/release/backflow-collector", import.meta.url),
)

/** First and longest pause before a collector that ended is restarted; it doubles in between. */
const firstPauseMs = 1_000
const maxPauseMs = 30_000
/** A collector that observed for so long starts its pauses anew. */
const steadyMs = 60_000
/** How long a collector may take to hand over what it has, in milliseconds, where nobody gives it less. */
const maxStopMs = 15_000
/** Exit codes of a collector that cannot observe this host: not permitted, or the kernel lacks something. */
const unfitCodes = [3, 4]

interface Ended {
  readonly code: number | null
  /** The last line of its log, or how it ended when there was none. */
  readonly lastLine: string
  readonly how: string
}

/** Keeps one collector running until it is stopped. */
export class CollectorChild {
  readonly #options: CollectorOptions
  #child: ChildProcess | undefined
  readonly #abort = new AbortController()
  #pauseMs = firstPauseMs
  #hasObserved = false

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  /**
   * Runs until `stop`. Throws AppError "collector-missing" when there is no such program, and "host-unfit" or
   * "collector-failed" when it ends before it ever observed; after that it is restarted however often it ends.
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
    while (!this.#isStopping()) {
      const startedMs = performance.now()
      const ended = await this.#runOnce()
      if (this.#isStopping()) return
      if (!this.#hasObserved) throw neverObserved(ended)
      if (performance.now() - startedMs > steadyMs) this.#pauseMs = firstPauseMs
      this.#options.onRestart(ended.lastLine, this.#pauseMs)
      await delay(this.#pauseMs, undefined, { signal: this.#abort.signal }).catch(() => undefined)
      this.#pauseMs = Math.min(2 * this.#pauseMs, maxPauseMs)
    }
  }

  /** Lets it hand over what it has and end, and kills it after `graceMs`. False when something was not acknowledged. */
  async stop(graceMs: number): Promise<boolean> {
    this.#abort.abort()
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return true
    const exit = once(child, "exit")
    child.kill("SIGTERM")
    const timer = setTimeout(() => child.kill("SIGKILL"), Math.min(graceMs, maxStopMs))
    const [code] = (await exit) as [number | null]
    clearTimeout(timer)
    return code === 0
  }

  async #runOnce(): Promise<Ended> {
    // Its standard input ends with this process, however that ends: the collector then stops too.
    const child = spawn(this.#options.program, this.#options.args, { stdio: ["pipe", "pipe", "pipe"] })
    child.stdin.on("error", () => undefined)
    this.#child = child
    if (child.pid !== undefined) this.#options.onStart(child.pid)
    const early: string[] = []
    let last = ""
    createInterface({ input: child.stdout }).on("line", (line) => {
      const readiness = readinessOf(line)
      if (readiness === undefined) return
      this.#hasObserved = true
      for (const earlier of early.splice(0)) this.#options.onLog(earlier)
      this.#options.onReady(readiness)
    })
    createInterface({ input: child.stderr }).on("line", (line) => {
      last = line.replace(/^backflow-collector: /, "")
      if (this.#hasObserved) this.#options.onLog(last)
      else early.push(last)
    })
    const [code, signal] = await ending(child)
    const how = signal === null ? `ended with exit code ${code ?? "unknown"}` : `was killed by ${signal}`
    return { code, lastLine: last === "" ? `The collector ${how}` : last, how }
  }

  #isStopping(): boolean {
    return this.#abort.signal.aborted
  }
}

function neverObserved({ code, lastLine, how }: Ended): AppError {
  if (code !== null && unfitCodes.includes(code)) {
    return new AppError("host-unfit", lastLine, "Run it as root on a kernel that passes backflow-collector --check.")
  }
  return new AppError("collector-failed", lastLine, `The collector ${how} before it observed anything.`)
}

function ending(child: ChildProcess): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  return new Promise((resolve) => {
    child.once("error", () => resolve([null, null]))
    // "close" and not "exit": its last line may still be in the pipe.
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
