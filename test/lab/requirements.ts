import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { collector } from "./executables.js"

const programs = [
  "ip",
  "ssh",
  "/usr/sbin/sshd",
  "autossh",
  "dbclient",
  "socat",
  "nc",
  "rsync",
  "git",
  "nginx",
  "tinyproxy",
  "curl",
  "/usr/bin/python3",
  "openssl",
]

/**
 * Why the lab cannot run here, or undefined. In CI, where it is meant to run, that is an error and no skip.
 */
export function missingForLab(): string | undefined {
  const reason = firstMissing()
  if (reason !== undefined && process.env["CI"] === "true")
    throw new Error(`the lab is meant to run in CI, but ${reason}`)
  return reason
}

function firstMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root for network namespaces and kernel programs"
  if (!existsSync("/sys/kernel/btf/vmlinux")) return "this kernel has no type information (CONFIG_DEBUG_INFO_BTF)"
  if (!existsSync(collector)) return "the collector is not built (npm run build)"
  const absent = programs.filter((name) => spawnSync("sh", ["-c", 'command -v "$0"', name]).status !== 0)
  return absent.length > 0
    ? `these programs are missing: ${absent.join(", ")} (sh setup.sh test installs them)`
    : undefined
}
