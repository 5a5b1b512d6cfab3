import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"

/** What a wide-area link does to packets. */
export interface Wan {
  readonly roundTripMs: number
  readonly lossPercent: number
}

/** The link that the goals are measured over. */
export const usualWan: Wan = { roundTripMs: 20, lossPercent: 0.1 }

interface End {
  readonly namespace: string
  readonly device: string
}

const source = join(import.meta.dirname, "programs", "wan.c")

/** Compiles and starts the link; returns once both devices are there. Kernels without netem have it in user space. */
export function startWan(folder: string, { roundTripMs, lossPercent }: Wan, ends: readonly [End, End]): ChildProcess {
  const program = join(folder, "wan")
  const flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread"]
  execFileSync("cc", [...flags, "-o", program, source], { stdio: "pipe" })
  const words = ends.flatMap(({ namespace, device }) => [namespace, device])
  const numbers = [(roundTripMs / 2) * 1000, lossPercent * 10_000].map((n) => `${Math.round(n)}`)
  const child = spawn(program, [...words, ...numbers], { stdio: "ignore" })
  waitForDevices(ends)
  return child
}

/** The namespaces have to be complete before anything else starts, so this waits in place. */
function waitForDevices(ends: readonly End[]): void {
  const isThere = ({ namespace, device }: End): boolean => {
    try {
      execFileSync("ip", ["-n", namespace, "link", "show", device], { stdio: "ignore" })
      return true
    } catch {
      return false
    }
  }
  const limitMs = Date.now() + 5_000
  while (!ends.every(isThere))
    if (Date.now() > limitMs) throw new Error("the lab's wide-area link did not start: it needs /dev/net/tun")
}

/** Why there can be no wide-area link here, or undefined. */
export function missingForWan(): string | undefined {
  return existsSync("/dev/net/tun") ? undefined : "this kernel has no TUN devices (/dev/net/tun)"
}
