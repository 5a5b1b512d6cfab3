import { existsSync, readFileSync } from "node:fs"
import { AppError } from "../../errors.js"

/** What a host must have for the collector, and where to look. */
export interface Host {
  /** Effective capabilities of this process (capabilities(7)). */
  readonly capabilities: bigint
  /** The kernel describes its own types (CONFIG_DEBUG_INFO_BTF). */
  readonly hasBtf: boolean
  readonly platform: string
}

const [netAdmin, sysAdmin, perfmon, bpf] = [12n, 21n, 38n, 39n]

export function thisHost(): Host {
  const status = process.platform === "linux" ? readFileSync("/proc/self/status", "latin1") : ""
  return {
    capabilities: BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`),
    hasBtf: existsSync("/sys/kernel/btf/vmlinux"),
    platform: process.platform,
  }
}

/**
 * Throws AppError "host-unfit" for what can be known before anything is started. The rest, such as a hook that the kernel
 * lacks, the collector finds out by trying.
 */
export function requireObservable({ capabilities, hasBtf, platform }: Host): void {
  if (platform !== "linux") {
    throw new AppError(
      "host-unfit",
      `Backflow observes Linux, and this is ${platform}.`,
      "Run backflow analyzer here, and collectors on Linux hosts.",
    )
  }
  const has = (capability: bigint) => ((capabilities >> capability) & 1n) === 1n
  if (!has(netAdmin) || !(has(sysAdmin) || (has(bpf) && has(perfmon)))) {
    throw new AppError(
      "host-unfit",
      "Backflow may not observe this host: it lacks the rights to load programs into the kernel.",
      "Run it as root, or with the capabilities BPF, PERFMON and NET_ADMIN.",
    )
  }
  if (!hasBtf) {
    throw new AppError(
      "host-unfit",
      "This kernel has no type information (no /sys/kernel/btf/vmlinux), which the collector needs.",
      "Use a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions ship since 5.10.",
    )
  }
}
