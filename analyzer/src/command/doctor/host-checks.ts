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

const remedies = {
  notLinux: "Run backflow analyzer here, and collectors on Linux hosts.",
  noBtf: "Use a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions ship since 5.10.",
  lockdown: "Boot without lockdown=confidentiality.",
  old: "Some hooks may be missing; the collector line says which.",
  noRights: "backflow analyzer alone needs none of them.",
  oldCgroups:
    "Hooks that attach to it are missing, and containers are recognised by less; boot with systemd.unified_cgroup_hierarchy=1.",
  lockedMemory: "Set ulimit -l unlimited, or LimitMEMLOCK=infinity for the service.",
  notStarted: "Build it with npm start, or name another with --collector.",
  probeFailed: "See the lines on kernel and rights.",
  otherRelease: "Build both from one release.",
  missingHooks: "A newer kernel has them; the rest works without.",
} as const

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

function kernel({ platform, hasBtf }: Host, files: HostFiles): Outcome {
  if (platform !== "linux") return failing(`this is ${platform}, and Backflow observes Linux`, remedies.notLinux)
  const lockdown = /\[(\w+)\]/.exec(files.read("/sys/kernel/security/lockdown") ?? "")?.[1]
  if (!hasBtf)
    return failing(`Linux ${files.release} has no type information (no /sys/kernel/btf/vmlinux)`, remedies.noBtf)
  if (lockdown === "confidentiality")
    return failing(`Linux ${files.release} is locked down: programs may not read kernel memory`, remedies.lockdown)
  if (isBefore(files.release, complete))
    return degraded(`Linux ${files.release} is older than ${complete.join(".")}`, remedies.old)
  return ok(`Linux ${files.release} with type information`)
}

function rights(host: Host): Outcome {
  try {
    requireObservable({ ...host, hasBtf: true })
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return failing("this user may not load programs into the kernel", `${thrown.remedy} ${remedies.noRights}`)
  }
  return ok("this user may load programs into the kernel")
}

function cgroups(files: HostFiles): Outcome {
  if (files.exists("/sys/fs/cgroup/cgroup.controllers")) return ok("version 2")
  return degraded("no version 2 at /sys/fs/cgroup", remedies.oldCgroups)
}

function lockedMemory(files: HostFiles): Outcome {
  if (!isBefore(files.release, byCgroup)) return ok("not limited for kernel programs since Linux 5.11")
  const limit = /^Max locked memory\s+(\S+)/m.exec(files.read("/proc/self/limits") ?? "")?.[1]
  if (limit === "unlimited" || Number(limit) >= 512 * 1024 * 1024) return ok(`limited to ${limit ?? "?"} bytes`)
  const text = `limited to ${limit ?? "an unknown number of"} bytes, which buffers in the kernel count against`
  return degraded(text, remedies.lockedMemory)
}

/** Loads and attaches everything for a moment, as the collector does when it starts. */
function collectorProbe(program: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, ["--check", "--json"], { timeout: 8_000, maxBuffer: 1_000_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(probed(stdout))
      else if (error.code === "ENOENT" || error.code === "EACCES")
        resolve(failing(`${program} cannot be started (${error.code})`, remedies.notStarted))
      else {
        const reason = lastLine(stderr) || `exited with ${String(error.code ?? error.signal)}`
        resolve(failing(reason, remedies.probeFailed))
      }
    })
  })
}

function probed(stdout: string): Outcome {
  const probe = readProbe(stdout)
  if (probe === undefined) return failing("the collector is of another release: unknown output", remedies.otherRelease)
  const hooks = `${probe.capabilities.length} hooks attach`
  if (probe.degraded.length === 0) return ok(hooks)
  const lacks = probe.degraded.map(({ feature, consequence }) => `${feature} is missing: ${consequence}`)
  return degraded(`${hooks}; ${lacks.join("; ")}`, remedies.missingHooks)
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

function lastLine(stderr: string): string {
  const lines = stderr.trim().split("\n")
  return (lines.at(-1) ?? "").replace(/^backflow-collector: /, "")
}

function isBefore(text: string, [major, minor]: readonly [number, number]): boolean {
  const [, ownMajor = 0, ownMinor = 0] = /^(\d+)\.(\d+)/.exec(text)?.map(Number) ?? []
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}
