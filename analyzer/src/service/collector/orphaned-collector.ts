import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { alive, markOf } from "../../store/process-mark.js"

/** How long a collector may take to hand over what it has, and how often it is looked at, in milliseconds. */
const limitMs = 15_000
const lookMs = 50

const file = (state: string) => join(state, "collector.pid")

/** Notes which collector works for this state folder, for the next run to find if this one is killed. */
export function noteCollector(state: string, pid: number): void {
  writeFileSync(file(state), markOf(pid), { mode: 0o600 })
}

/**
 * Ends the collector of a run that was killed. The analyzer must listen by now: the collector comes back to it with what
 * was not acknowledged. False when there was none.
 */
export async function endOrphan(state: string): Promise<boolean> {
  const mark = read(file(state))
  const pid = mark === undefined ? undefined : alive(mark)
  if (mark === undefined || pid === undefined) return false
  signal(pid, "SIGTERM")
  for (let waitedMs = 0; alive(mark) !== undefined; waitedMs += lookMs) {
    if (waitedMs >= limitMs) signal(pid, "SIGKILL")
    await pause(lookMs)
  }
  return true
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
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
