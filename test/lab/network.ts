import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { toolFolder } from "./executables.js"
import { waitForLine } from "./processes.js"
import { startWan } from "./wan.js"
import type { Wan } from "./wan.js"

/** Machines of the lab: the watched host, a router, a host outside behind it, and another host inside. */
export type Machine = "inside" | "gateway" | "outside" | "lan"

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

export interface LabNetwork {
  /** For keys, configuration and scratch; removed at the end. */
  readonly folder: string
  readonly namespace: (machine: Machine) => string
  /** Starts a program on a machine. Its pid is the program's own. */
  readonly start: (machine: Machine, program: string, ...args: readonly string[]) => ChildProcess
  /** Starts one of the lab's own programs and resolves when it listens. */
  readonly serve: (machine: Machine, program: string, ...args: readonly string[]) => Promise<ChildProcess>
  readonly python: (machine: Machine, program: string, ...args: readonly string[]) => ChildProcess
  /** 20 ms on what the outside sends, where this kernel can; false where it cannot. */
  readonly delayOutside: () => boolean
  readonly remove: () => void
}

/**
 * Makes four namespaces that carry this process's id. The outside is behind a route, not on the watched host's subnet;
 * with a WAN, behind one that takes its time and loses packets.
 */
export function makeNetwork(wan?: Wan): LabNetwork {
  const folder = mkdtempSync(join(tmpdir(), "backflow-lab-"))
  const name = (machine: Machine): string => `backflow-lab-${process.pid}-${machine}`
  const start: LabNetwork["start"] = (machine, program, ...args) =>
    spawn("ip", ["netns", "exec", name(machine), program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
      env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:${toolFolder}` },
    })
  const python: LabNetwork["python"] = (machine, program, ...args) =>
    start(machine, "/usr/bin/python3", "-B", join(programs, program), ...args)
  let link: ChildProcess | undefined
  const remove = (): void => {
    link?.kill("SIGKILL")
    for (const machine of machines) removeNamespace(name(machine))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const machine of machines) {
      ip("netns", "add", name(machine))
      ip("-n", name(machine), "link", "set", "lo", "up")
    }
    if (wan !== undefined)
      link = startWan(folder, wan, [
        { namespace: name("gateway"), device: "outside" },
        { namespace: name("outside"), device: "wire" },
      ])
    connect(name, wan !== undefined)
  } catch (error) {
    remove()
    throw error
  }
  const serve: LabNetwork["serve"] = async (machine, program, ...args) => {
    const child = python(machine, program, ...args)
    await waitForLine(child, "listening")
    return child
  }
  const delayOutside = (): boolean =>
    attempt(() =>
      ip("netns", "exec", name("outside"), "tc", "qdisc", "add", "dev", "wire", "root", "netem", "delay", "20ms"),
    ) !== undefined
  return { folder, namespace: name, start, python, serve, delayOutside, remove }
}

const machines: readonly Machine[] = ["inside", "gateway", "outside", "lan"]

function connect(name: (machine: Machine) => string, hasWan: boolean): void {
  const far = [
    { machine: "inside", address: `${addresses.inside}/24`, gateway: "10.77.0.1" },
    { machine: "outside", address: `${addresses.outside}/24`, gateway: "203.0.113.1" },
    { machine: "lan", address: `${addresses.lan}/24`, gateway: "10.78.0.1" },
  ] as const
  for (const { machine, address, gateway } of far) {
    if (machine !== "outside" || !hasWan)
      ip(
        "link",
        "add",
        "wire",
        "netns",
        name(machine),
        "type",
        "veth",
        "peer",
        "name",
        machine,
        "netns",
        name("gateway"),
      )
    ip("-n", name(machine), "address", "add", address, "dev", "wire")
    ip("-n", name("gateway"), "address", "add", `${gateway}/24`, "dev", machine)
    ip("-n", name(machine), "link", "set", "wire", "up")
    ip("-n", name("gateway"), "link", "set", machine, "up")
    ip("-n", name(machine), "route", "add", "default", "via", gateway)
  }
  ip("-n", name("outside"), "address", "add", `${addresses.outsideToo}/24`, "dev", "wire")
  connect6(name)
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

function connect6(name: (machine: Machine) => string): void {
  const far = [
    { machine: "inside", address: `${addresses.inside6}/64`, gateway: "fd00:77::1" },
    { machine: "outside", address: `${addresses.outside6}/64`, gateway: "2001:db8:9::1" },
  ] as const
  for (const { machine, address, gateway } of far) {
    // Without duplicate address detection an address can be used at once.
    ip("-n", name(machine), "address", "add", address, "dev", "wire", "nodad")
    ip("-n", name("gateway"), "address", "add", `${gateway}/64`, "dev", machine, "nodad")
    ip("-n", name(machine), "route", "add", "default", "via", gateway)
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

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { stdio: "pipe", encoding: "utf8" })
}
