import { readFileSync } from "node:fs"

/** Names a process by id and start time, in the form that the files in a state folder hold. */
export function markOf(pid: number): string {
  return `${pid} ${startTime(pid) ?? "0"}\n`
}

/** The process that a mark names, while it lives; another program with the same id is not it. */
export function alive(mark: string): number | undefined {
  const [pid = 0, start] = mark.trim().split(" ").map(Number)
  return pid > 0 && startTime(pid) === String(start) ? pid : undefined
}

/** Start of a process in clock ticks since boot (proc(5), field 22 of stat); undefined when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    // The second field may hold spaces and brackets; the third follows the last bracket.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    // A zombie: ended, and its parent has not waited for it yet.
    return state === "Z" ? undefined : rest[18]
  } catch {
    return undefined
  }
}
