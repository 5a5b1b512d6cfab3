import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { collector } from "../lab/executables.js"

const programs = ["ip", "cc", "bash"]

/**
 * Why the floods cannot run here, or undefined. In CI, where they are meant to run, that is an error and no skip.
 */
export function missingForFloods(): string | undefined {
  const reason = firstMissing()
  if (reason !== undefined && process.env["CI"] === "true")
    throw new Error(`the floods are meant to run in CI, but ${reason}`)
  return reason
}

function firstMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "they need root for network namespaces and kernel programs"
  if (!existsSync("/sys/kernel/btf/vmlinux")) return "this kernel has no type information (CONFIG_DEBUG_INFO_BTF)"
  if (!existsSync(collector)) return "the collector is not built (npm run build)"
  const absent = programs.filter((name) => spawnSync("sh", ["-c", 'command -v "$0"', name]).status !== 0)
  if (absent.length > 0) return `these programs are missing: ${absent.join(", ")} (sh setup.sh test installs them)`
  const namespace = spawnSync("setpriv", ["--reuid=65534", "--clear-groups", "unshare", "--user", "--net", "true"])
  return namespace.status === 0 ? undefined : "users without rights may not make user and network namespaces"
}
