import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Machines of the lab: the watched host, a router, a host outside behind it, and another host inside. */
export type Place = "inside" | "gateway" | "outside" | "lan"

/** Documentation networks (RFC 5737, RFC 3849) stand for public addresses. */
export const addresses = {
  inside: "10.77.0.2",
  outside: "203.0.113.9",
  outsideToo: "203.0.113.10",
  lan: "10.78.0.2",
  inside6: "fd00:77::2",
  outside6: "2001:db8:9::9",
} as const

const programs = join(import.meta.dirname, "programs")

export interface Ground {
  /** For keys, configuration and scratch; removed at the end. */
  readonly folder: string
  readonly namespace: (place: Place) => string
  /** Starts a program on a machine. Its pid is the program's own. */
  readonly start: (place: Place, program: string, ...args: readonly string[]) => ChildProcess
  /** Starts one of the lab's own programs and resolves when it listens. */
  readonly serve: (place: Place, program: string, ...args: readonly string[]) => Promise<ChildProcess>
  readonly python: (place: Place, program: string, ...args: readonly string[]) => ChildProcess
  readonly remove: () => void
}

/** Makes four namespaces that carry this process's id. The outside is behind a route, not on the watched host's subnet. */
export function makeGround(): Ground {
  const folder = mkdtempSync(join(tmpdir(), "backflow-lab-"))
  const name = (place: Place): string => `backflow-lab-${process.pid}-${place}`
  const start: Ground["start"] = (place, program, ...args) =>
    spawn("ip", ["netns", "exec", name(place), program, ...args], { stdio: ["ignore", "pipe", "pipe"], cwd: folder })
  const python: Ground["python"] = (place, program, ...args) =>
    start(place, "/usr/bin/python3", "-B", join(programs, program), ...args)
  const remove = (): void => {
    for (const place of places) removeNamespace(name(place))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    cable(name)
  } catch (error) {
    remove()
    throw error
  }
  const serve: Ground["serve"] = async (place, program, ...args) => {
    const child = python(place, program, ...args)
    await saying(child, "listening")
    return child
  }
  return { folder, namespace: name, start, python, serve, remove }
}

const places: readonly Place[] = ["inside", "gateway", "outside", "lan"]

function cable(name: (place: Place) => string): void {
  for (const place of places) {
    ip("netns", "add", name(place))
    ip("-n", name(place), "link", "set", "lo", "up")
  }
  const far = [
    { place: "inside", address: `${addresses.inside}/24`, gateway: "10.77.0.1" },
    { place: "outside", address: `${addresses.outside}/24`, gateway: "203.0.113.1" },
    { place: "lan", address: `${addresses.lan}/24`, gateway: "10.78.0.1" },
  ] as const
  for (const { place, address, gateway } of far) {
    ip("link", "add", "wire", "netns", name(place), "type", "veth", "peer", "name", place, "netns", name("gateway"))
    ip("-n", name(place), "address", "add", address, "dev", "wire")
    ip("-n", name("gateway"), "address", "add", `${gateway}/24`, "dev", place)
    ip("-n", name(place), "link", "set", "wire", "up")
    ip("-n", name("gateway"), "link", "set", place, "up")
    ip("-n", name(place), "route", "add", "default", "via", gateway)
  }
  ip("-n", name("outside"), "address", "add", `${addresses.outsideToo}/24`, "dev", "wire")
  cable6(name)
  execFileSync("ip", [
    "netns",
    "exec",
    name("gateway"),
    "sysctl",
    "-qw",
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
  ])
}

function cable6(name: (place: Place) => string): void {
  const far = [
    { place: "inside", address: `${addresses.inside6}/64`, gateway: "fd00:77::1" },
    { place: "outside", address: `${addresses.outside6}/64`, gateway: "2001:db8:9::1" },
  ] as const
  for (const { place, address, gateway } of far) {
    // Without duplicate address detection an address can be used at once.
    ip("-n", name(place), "address", "add", address, "dev", "wire", "nodad")
    ip("-n", name("gateway"), "address", "add", `${gateway}/64`, "dev", place, "nodad")
    ip("-n", name(place), "route", "add", "default", "via", gateway)
  }
}

function removeNamespace(name: string): void {
  const pids = attempt(() => execFileSync("ip", ["netns", "pids", name], { encoding: "utf8", stdio: "pipe" })) ?? ""
  for (const pid of pids.split("\n").filter((line) => line !== "")) attempt(() => process.kill(Number(pid), "SIGKILL"))
  attempt(() => execFileSync("ip", ["netns", "delete", name], { stdio: "pipe" }))
}

/** For clean-up, where what is gone already is as good as removed. */
function attempt<T>(step: () => T): T | undefined {
  try {
    return step()
  } catch {
    return undefined
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: "pipe" })
}

/** Resolves with the first line of a program's output that starts with `word`; rejects when the program ends first. */
export function saying(child: ChildProcess, word: string, stream: "stdout" | "stderr" = "stdout"): Promise<string> {
  const output = child[stream]
  if (output === null) throw new Error("the program was started without that stream")
  return new Promise((resolve, reject) => {
    let text = ""
    const read = (chunk: Buffer): void => {
      text += chunk.toString()
      const line = text
        .split("\n")
        .slice(0, -1)
        .find((l) => l.startsWith(word))
      if (line === undefined) return
      output.off("data", read)
      output.resume()
      resolve(line)
    }
    output.on("data", read)
    let complaint = ""
    child.stderr?.on("data", (chunk: Buffer) => (complaint += chunk.toString()))
    child.once("close", (code) =>
      reject(
        new Error(
          `${child.spawnargs.slice(4).join(" ")} ended (${code ?? "killed"}) before it said ${word}: ${complaint.slice(-600)}`,
        ),
      ),
    )
  })
}

/** Resolves when a program ends well; rejects with its last words otherwise. */
export async function ending(child: ChildProcess): Promise<void> {
  let complaint = ""
  child.stderr?.on("data", (chunk: Buffer) => (complaint += chunk.toString()))
  child.stdout?.resume()
  if (child.exitCode === null && child.signalCode === null) await once(child, "close")
  if (child.exitCode !== 0)
    throw new Error(
      `${child.spawnargs.slice(4).join(" ")} failed (${child.exitCode ?? child.signalCode ?? "?"}): ${complaint.slice(-600)}`,
    )
}

/** Ends a program and whatever shares its session; resolves when it is gone. */
export async function stopping(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, "exit")
  child.kill("SIGTERM")
  await closed
}

export function ensureFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 })
}
