import { execFile, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { promisify } from "node:util"

const run = promisify(execFile)

/** A network namespace that plays a machine. */
export interface Machine {
  readonly name: string
  readonly address: string
  /** Starts a program on it, in a process group of its own: an interrupt at the terminal does not reach it. */
  readonly start: (program: string, args: readonly string[]) => ChildProcess
}

export interface Machines {
  readonly inside: Machine
  readonly outside: Machine
  /** Ends what still runs on the machines and removes them. May be called twice. */
  readonly remove: () => Promise<void>
}

// The outside address is from a documentation network (RFC 5737), which counts as outside like any public one. It is
// behind a gateway: what is on a host's own subnet is a neighbour, not the outside.
const outsideAddress = "203.0.113.10"
const insideAddress = "10.77.1.2"
const gateway = "10.77.1.1"

/** Makes two namespaces joined by one cable. The names carry this process's id, so two demonstrations do not meet. */
export async function makeMachines(): Promise<Machines> {
  const inside = machine(`backflow-demo-${process.pid}-inside`, insideAddress)
  const outside = machine(`backflow-demo-${process.pid}-outside`, outsideAddress)
  const remove = async () => {
    for (const { name } of [inside, outside]) await removeNamespace(name)
  }
  try {
    await ip("netns", "add", inside.name)
    await ip("netns", "add", outside.name)
    await ip("link", "add", "wire", "netns", inside.name, "type", "veth", "peer", "name", "wire", "netns", outside.name)
    await ip("-n", outside.name, "address", "add", `${gateway}/24`, "dev", "wire")
    await ip("-n", outside.name, "address", "add", `${outsideAddress}/32`, "dev", "lo")
    await ip("-n", inside.name, "address", "add", `${insideAddress}/24`, "dev", "wire")
    for (const { name } of [inside, outside]) {
      await ip("-n", name, "link", "set", "lo", "up")
      await ip("-n", name, "link", "set", "wire", "up")
    }
    await ip("-n", inside.name, "route", "add", "default", "via", gateway)
  } catch (error) {
    await remove()
    throw error
  }
  return { inside, outside, remove }
}

function machine(name: string, address: string): Machine {
  const start = (program: string, args: readonly string[]) =>
    spawn("ip", ["netns", "exec", name, program, ...args], { detached: true, stdio: ["ignore", "pipe", "pipe"] })
  return { name, address, start }
}

async function removeNamespace(name: string): Promise<void> {
  const { stdout } = await ip("netns", "pids", name).catch(() => ({ stdout: "" }))
  for (const pid of stdout.split("\n").filter((line) => line !== "")) {
    try {
      process.kill(Number(pid), "SIGKILL")
    } catch {
      // It ended by itself between the listing and here.
    }
  }
  await ip("netns", "delete", name).catch(() => undefined)
}

const ip = (...args: readonly string[]) => run("ip", args)
