import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { release } from "node:os"
import { requireObservable } from "../up/preflight.js"
import type { Host } from "../up/preflight.js"
import { AppError } from "../../errors.js"
import { degraded, failing, ok } from "./check.js"
import type { Check, Outcome } from "./check.js"

/** The oldest kernel that has everything, and the first that counts memory of programs by cgroup instead of by limit. */
const [complete, byCgroup] = [
  [5, 10],
  [5, 11],
] as const

/** Where the checks look. */
export interface HostFiles {
  readonly release: string
  readonly read: (path: string) => string | undefined
  readonly exists: (path: string) => boolean
}

export function thisHostsFiles(): HostFiles {
  return {
    release: release(),
    exists: existsSync,
    read: (path) => {
      try {
        return readFileSync(path, "latin1")
      } catch {
        return undefined
      }
    },
  }
}

export function hostChecks(host: Host, files: HostFiles, collector: string): Check[] {
  return [
    { what: "kernel", run: () => Promise.resolve(kernel(host, files)) },
    { what: "rights", run: () => Promise.resolve(rights(host)) },
    { what: "cgroups", run: () => Promise.resolve(cgroups(files)) },
    { what: "locked memory", run: () => Promise.resolve(lockedMemory(files)) },
    { what: "collector", run: () => collectorProbe(collector) },
  ]
}

export function kernel({ platform, hasBtf }: Host, files: HostFiles): Outcome {
  if (platform !== "linux") return failing(`this is ${platform}, and Backflow observes Linux`, "Run backflow analyzer here, and collectors on Linux hosts.") // prettier-ignore
  const lockdown = /\[(\w+)\]/.exec(files.read("/sys/kernel/security/lockdown") ?? "")?.[1]
  if (!hasBtf) return failing(`Linux ${files.release} does not describe its types (no /sys/kernel/btf/vmlinux)`, "Use a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions ship since 5.10.") // prettier-ignore
  if (lockdown === "confidentiality") return failing(`Linux ${files.release} is locked down: programs may not read kernel memory`, "Boot without lockdown=confidentiality.") // prettier-ignore
  if (isBefore(files.release, complete)) return degraded(`Linux ${files.release} is older than ${complete.join(".")}`, "Some hooks may be missing; the collector line says which.") // prettier-ignore
  return ok(`Linux ${files.release} with type information`)
}

export function rights(host: Host): Outcome {
  try {
    requireObservable({ ...host, hasBtf: true })
  } catch (thrown) {
    if (thrown instanceof AppError) return failing("this user may not load programs into the kernel", `${thrown.remedy} backflow analyzer alone needs none of them.`) // prettier-ignore
    throw thrown
  }
  return ok("this user may load programs into the kernel")
}

export function cgroups(files: HostFiles): Outcome {
  if (files.exists("/sys/fs/cgroup/cgroup.controllers")) return ok("version 2")
  return degraded("no version 2 at /sys/fs/cgroup", "Hooks that attach to it are missing, and containers are told by less; boot with systemd.unified_cgroup_hierarchy=1.") // prettier-ignore
}

export function lockedMemory(files: HostFiles): Outcome {
  if (!isBefore(files.release, byCgroup)) return ok("not limited for kernel programs since Linux 5.11")
  const limit = /^Max locked memory\s+(\S+)/m.exec(files.read("/proc/self/limits") ?? "")?.[1]
  if (limit === "unlimited" || Number(limit) >= 512 * 1024 * 1024) return ok(`limited to ${limit ?? "?"} bytes`)
  return degraded(`limited to ${limit ?? "an unknown number of"} bytes, which buffers in the kernel count against`, "Set ulimit -l unlimited, or LimitMEMLOCK=infinity for the service.") // prettier-ignore
}

/** Loads and attaches everything for a moment, as the collector does when it starts. */
function collectorProbe(program: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, ["--check", "--json"], { timeout: 8_000, maxBuffer: 1_000_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(probed(stdout))
      else if (error.code === "ENOENT" || error.code === "EACCES") resolve(failing(`${program} cannot be started (${error.code})`, "Build it with npm start, or name another with --collector.")) // prettier-ignore
      else resolve(failing(lastWords(stderr) || `ended with ${String(error.code ?? error.signal)}`, "See the lines on kernel and rights.")) // prettier-ignore
    })
  })
}

export function probed(stdout: string): Outcome {
  const told = readProbe(stdout)
  if (told === undefined) return failing("the collector answered in another form than this release's", "Build both from one release.") // prettier-ignore
  const hooks = `${told.capabilities.length} hooks attach`
  if (told.degraded.length === 0) return ok(hooks)
  const lacks = told.degraded.map(({ feature, consequence }) => `${feature} is missing: ${consequence}`)
  return degraded(`${hooks}; ${lacks.join("; ")}`, "A newer kernel has them; the rest works without.")
}

interface Probe {
  readonly capabilities: readonly string[]
  readonly degraded: readonly { readonly feature: string; readonly consequence: string }[]
}

function readProbe(stdout: string): Probe | undefined {
  try {
    const probe = JSON.parse(stdout) as Partial<Probe> | null
    const { capabilities, degraded: lacks } = probe ?? {}
    return Array.isArray(capabilities) && Array.isArray(lacks) ? { capabilities, degraded: lacks } : undefined
  } catch {
    return undefined
  }
}

function lastWords(stderr: string): string {
  const lines = stderr.trim().split("\n")
  return (lines.at(-1) ?? "").replace(/^backflow-collector: /, "")
}

function isBefore(text: string, [major, minor]: readonly [number, number]): boolean {
  const [, ownMajor = 0, ownMinor = 0] = /^(\d+)\.(\d+)/.exec(text)?.map(Number) ?? []
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}
