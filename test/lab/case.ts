import { execFileSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { setTimeout as pause } from "node:timers/promises"
import type { LabNetwork, Machine } from "./network.js"
import { stopProcess, waitForLine, waitForSuccess } from "./processes.js"

export interface Lab {
  readonly network: LabNetwork
  /** Key and certificate of the outside programs that speak TLS. */
  readonly certificate: string
}

/** What a case leaves running for the analyzer to judge. */
export interface Run {
  /** Processes that the case started on the watched host: a finding belongs to it when it names one of them or a child. */
  readonly pids: readonly number[]
  /** Wall clock of the first byte that the outside sent in, microseconds. */
  readonly firstUs?: number
  /** Ports of the far ends of the tunnel, where not every connection to the outside is one. */
  readonly tunnelPorts?: readonly number[]
  readonly end: () => Promise<void>
}

export interface Case {
  readonly name: string
  /** What must be found and in which program; without it, nothing of medium severity or above may be. */
  readonly finds?: { readonly class: readonly string[]; readonly exe: RegExp }
  /** Programs that it runs beyond those that the lab as a whole requires; where one is missing it is skipped aloud. */
  readonly needs?: readonly string[]
  /** Bytes of both ends cannot be compared: addresses are translated on the way, or the store has no row of the protocol. */
  readonly endsDiffer?: true
  readonly run: (lab: Lab) => Promise<Run>
}

export type Kind = "malicious" | "benign"

export const kindOf = (one: Case): Kind => (one.finds === undefined ? "benign" : "malicious")

/** Cases of one topic. Of each the first `inTests` are played by `npm test`; all where it is left out. */
export interface Family {
  readonly name: string
  readonly cases: readonly Case[]
  readonly inTests?: number
}

/** Resolves when something listens on the port. */
export async function waitForPort(network: LabNetwork, machine: Machine, port: number): Promise<void> {
  const name = network.namespace(machine)
  const limit = Date.now() + 15_000
  while (execFileSync("ip", ["netns", "exec", name, "ss", "-Hltn", `sport = :${port}`], { encoding: "utf8" }) === "") {
    if (Date.now() > limit) throw new Error(`nothing listens on port ${port} of ${machine}`)
    await pause(30)
  }
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} did not start`)
  return child.pid
}

/** Microseconds out of the line `first N` that the outside programs print. */
export async function firstUseUs(child: ChildProcess): Promise<number> {
  return Number((await waitForLine(child, "first")).split(" ")[1])
}

/** A client that runs to its end while the outside end serves it; both must end well. */
export async function runBoth(outside: ChildProcess, client: ChildProcess, firstUs?: number): Promise<Run> {
  await Promise.all([waitForSuccess(outside), waitForSuccess(client)])
  return { pids: [pidOf(client)], end: () => Promise.resolve(), ...(firstUs === undefined ? {} : { firstUs }) }
}

/** Stops what is given, in order. */
export function stopAll(...children: readonly ChildProcess[]): () => Promise<void> {
  return async () => {
    for (const child of children) await stopProcess(child)
  }
}
