import { readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { readOwnFile } from "../../config/trusted-paths.js"
import { alive, markOf } from "../../store/process-mark.js"

/** How long a collector may take to hand over what it has, and how often it is looked at, in milliseconds. */
const limitMs = 15_000
const lookMs = 50

const file = (state: string) => join(state, "collector.pid")

/** Notes which collector works for this state folder, for the next run to find if this one is killed. */
export function noteCollector(state: string, pid: number): void {
  // A new file each time: whatever stands there is not written through.
  rmSync(file(state), { force: true })
  writeFileSync(file(state), markOf(pid), { mode: 0o600, flag: "wx" })
}

/**
 * Ends the collector of a run that was killed. The analyzer must listen by now: the collector comes back to it with what
 * was not acknowledged. False when there was none: a process of another user, or of another program, is no collector
 * whatever the file says.
 */
export async function endOrphan(state: string, program: string): Promise<boolean> {
  const mark = read(file(state))
  const pid = mark === undefined ? undefined : alive(mark)
  if (mark === undefined || pid === undefined || !isCollector(pid, program)) return false
  signal(pid, "SIGTERM")
  for (let waitedMs = 0; alive(mark) !== undefined; waitedMs += lookMs) {
    if (waitedMs >= limitMs) signal(pid, "SIGKILL")
    await pause(lookMs)
  }
  return true
}

/** It runs the collector's program, which may have been replaced or moved by an update, as this user. */
function isCollector(pid: number, program: string): boolean {
  try {
    const exe = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "")
    const [uid] = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.slice(1) ?? []
    if (Number(uid) !== process.getuid?.()) return false
    // Of a script the executable is its interpreter.
    const [, script] = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")
    return exe === realpathSync(program) || basename(exe) === basename(program) || script === program
  } catch {
    return false
  }
}

/** It may end at any moment by itself. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown
  }
}

function read(path: string): string | undefined {
  try {
    return readOwnFile(path)
  } catch {
    return undefined
  }
}
