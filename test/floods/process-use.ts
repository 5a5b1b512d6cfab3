import { readFileSync, readdirSync } from "node:fs"

export interface ProcessUse {
  readonly rssBytes: number
  /** The highest that it ever was. */
  readonly highestRssBytes: number
  /** User and system time since its start. */
  readonly cpuSeconds: number
}

/** USER_HZ of every Linux that runs Node: what /proc counts CPU time in. */
const ticksPerSecond = 100

/** What a process uses; undefined once it is gone. */
export function processUse(pid: number): ProcessUse | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8")
    const kilobytes = (key: string): number => Number(new RegExp(`^${key}:\\s*([0-9]+) kB`, "m").exec(status)?.[1] ?? 0)
    // The name, in parentheses, may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")
    const [user = 0, system = 0] = fields.slice(11, 13).map(Number)
    return {
      rssBytes: kilobytes("VmRSS") * 1024,
      highestRssBytes: kilobytes("VmHWM") * 1024,
      cpuSeconds: (user + system) / ticksPerSecond,
    }
  } catch {
    return undefined
  }
}

/** The collector below a process, by the kernel's short name of 15 bytes. */
export function collectorBelow(pid: number): number | undefined {
  for (const child of childrenOf(pid)) {
    const name = readFileSync(`/proc/${child}/comm`, "utf8").trim()
    if (name.startsWith("backflow-colle")) return child
    const below = collectorBelow(child)
    if (below !== undefined) return below
  }
  return undefined
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  )
}
