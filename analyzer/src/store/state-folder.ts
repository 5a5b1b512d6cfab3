import { closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { folderProblem } from "../config/trusted-paths.js"
import { AppError, messageOf } from "../errors.js"
import { alive, markOf } from "./process-mark.js"

/** A state folder that this process alone writes to. */
export interface StateFolder {
  readonly path: string
  release(): void
}

/** Longest path of a unix socket, without its final NUL (unix(7)). */
const socketPathBytes = 107

/**
 * Takes the folder, making it when it is missing. Throws AppError "state-locked" when another process has it, and
 * "config" when it cannot be made or written, and when others own it, can write it or can put another in its place: tokens,
 * sockets and process ids in it would be theirs.
 *
 * The lock file names its holder by process id and start time, so that a holder that was killed leaves nothing to clean
 * up. Processes that do not see each other's ids (containers) are still kept apart by the embedded engine's own lock.
 */
export function takeStateFolder(path: string): StateFolder {
  const longest = Buffer.byteLength(join(path, "collector.sock"))
  if (longest > socketPathBytes) {
    throw new AppError(
      "config",
      `The path of the state folder ${path} is too long for the sockets in it, by ${longest - socketPathBytes} bytes.`,
      "Name a shorter one with --state.",
    )
  }
  const lock = join(path, "lock")
  const own = markOf(process.pid)
  try {
    refuseUntrusted(path)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    // What was made meanwhile is looked at too.
    refuseUntrusted(path)
    for (let attempt = 0; attempt < 3; attempt++) {
      if (create(lock, own)) return { path, release: () => releaseLock(lock, own) }
      const holder = read(lock)
      const pid = holder === undefined ? undefined : alive(holder)
      if (pid !== undefined) throw locked(path, pid)
      if (holder !== undefined) setAside(lock, holder)
    }
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw new AppError(
      "config",
      `The state folder ${path} cannot be used: ${messageOf(thrown)}.`,
      "Name another with --state.",
    )
  }
  throw locked(path, undefined)
}

function refuseUntrusted(path: string): void {
  const problem = folderProblem(path)
  if (problem === undefined) return
  throw new AppError("config", `The state folder ${path} is refused: ${problem.text}.`, problem.remedy)
}

/** The process that holds the folder now; undefined when none does. */
export function holderOf(path: string): number | undefined {
  const holder = read(join(path, "lock"))
  return holder === undefined ? undefined : alive(holder)
}

function locked(path: string, pid: number | undefined): AppError {
  const who = pid === undefined ? "another process" : `process ${pid}`
  return new AppError(
    "state-locked",
    `The state folder ${path} is in use by ${who}.`,
    "Stop that process, or name another folder with --state.",
  )
}

function create(lock: string, content: string): boolean {
  try {
    const file = openSync(lock, "wx", 0o600)
    writeSync(file, content)
    closeSync(file)
    return true
  } catch (thrown) {
    if (codeOf(thrown) === "EEXIST") return false
    throw thrown
  }
}

function read(lock: string): string | undefined {
  try {
    return readFileSync(lock, "utf8")
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined
    throw thrown
  }
}

/** Removes a dead holder's file. Two processes may both find it dead: whoever took a living one's puts it back. */
function setAside(lock: string, dead: string): void {
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
    if (readFileSync(aside, "utf8") !== dead) linkSync(aside, lock)
  } catch (thrown) {
    if (codeOf(thrown) !== "ENOENT" && codeOf(thrown) !== "EEXIST") throw thrown
  } finally {
    rmSync(aside, { force: true })
  }
}

function releaseLock(lock: string, own: string): void {
  if (read(lock) === own) rmSync(lock, { force: true })
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined
}
