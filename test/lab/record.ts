import { execFileSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { hostname, release } from "node:os"
import { join, relative } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import type { Case } from "./case.js"
import { kindOf } from "./case.js"
import type { Entry } from "./catalogue.js"
import { startLab } from "./fixtures.js"
import { makeNetwork } from "./network.js"
import type { LabNetwork, Machine } from "./network.js"
import { missingPrograms } from "./play.js"
import { stopProcess, waitForLine } from "./processes.js"
import { truthOf } from "./truth.js"
import type { Flow, Owner, SocketTruth } from "./truth.js"
import type { Wan } from "./wan.js"
import { Watch } from "./watch.js"

const machines: readonly Machine[] = ["inside", "gateway", "outside", "lan"]
/** How often it is looked at who holds which socket, milliseconds. */
const ownersPauseMs = 20
/** Longer than any look of the collector at what lives: what a case did last is in its recording. */
const settleMs = 1_500

/** What truth.json of a scenario holds. */
export interface Truth {
  readonly scenario: string
  readonly family: string
  readonly kind: "malicious" | "benign"
  /** Classes of Backflow's findings of which one is right. */
  readonly classes: readonly string[]
  readonly start_us: number
  readonly end_us: number
  readonly first_use_us: number | null
  readonly pids: readonly number[]
  readonly sockets: readonly SocketTruth[]
}

/** Makes the data set of docs/benchmark.md: one folder a scenario, and a manifest. Returns the exit code. */
export async function record(folder: string, entries: readonly Entry[], wan: Wan | undefined): Promise<number> {
  mkdirSync(folder, { recursive: true })
  const network = makeNetwork(wan)
  let failures = 0
  try {
    const lab = await startLab(network)
    for (const [i, { family, case: one }] of entries.entries()) {
      const missing = missingPrograms(one)
      const place = `${i + 1}/${entries.length} ${family}/${one.name}`
      if (missing.length > 0) {
        console.log(`${place}: skipped, ${missing.join(", ")} missing`)
        continue
      }
      try {
        const truth = await recordOne(join(folder, folderName(family, one)), family, one, lab)
        console.log(`${place}: ${truth.sockets.length} sockets`)
      } catch (error) {
        failures += 1
        console.log(`${place}: failed by itself: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  } finally {
    network.remove()
  }
  writeManifest(folder, wan)
  return failures > 0 ? 1 : 0
}

const folderName = (family: string, one: Case): string =>
  `${family} ${one.name}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")

async function recordOne(
  folder: string,
  family: string,
  one: Case,
  lab: Awaited<ReturnType<typeof startLab>>,
): Promise<Truth> {
  mkdirSync(folder, { recursive: true })
  const { network } = lab
  const state = join(network.folder, "state")
  const watch = await Watch.start(folder, ["--record", join(folder, "backflow")], state)
  const captures = await Promise.all(machines.map((machine) => capture(network, machine, folder)))
  const ownersFile = join(network.folder, "owners.jsonl")
  const owners = await network.serve("inside", "owners.py", ownersFile, `${ownersPauseMs}`)
  const startUs = Date.now() * 1000
  try {
    const run = await one.run(lab)
    await pause(settleMs)
    await run.end()
    await pause(settleMs)
    const endUs = Date.now() * 1000
    for (const child of [owners, ...captures]) await stopProcess(child)
    const flows = jsonLines<Flow>(flowLines(join(folder, "inside.pcap")))
    const { firstUs, tunnelPorts = [] } = run
    const held = jsonLines<Owner>(readFileSync(ownersFile, "utf8"))
    const truth: Truth = {
      scenario: one.name,
      family,
      kind: kindOf(one),
      classes: one.finds?.class ?? [],
      start_us: startUs,
      end_us: endUs,
      first_use_us: firstUs ?? null,
      pids: run.pids,
      sockets: truthOf({ kind: kindOf(one), flows, owners: held, firstUs, tunnelPorts }),
    }
    writeFileSync(join(folder, "truth.json"), `${JSON.stringify(truth, undefined, 1)}\n`)
    return truth
  } finally {
    for (const child of [owners, ...captures]) await stopProcess(child)
    await watch.stop()
    // Its store is no part of the data set; what it found is.
    execFileSync("rm", ["-rf", state])
  }
}

async function capture(network: LabNetwork, machine: Machine, folder: string): Promise<ChildProcess> {
  const child = network.python(machine, "capture.py", join(folder, `${machine}.pcap`))
  await waitForLine(child, "listening")
  return child
}

const flowLines = (file: string): string =>
  execFileSync("/usr/bin/python3", ["-B", join(import.meta.dirname, "programs", "flows.py"), file], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  })

const jsonLines = <T>(text: string): T[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T)

/** Every file with its size and SHA-256, and what it was made on. */
function writeManifest(folder: string, wan: Wan | undefined): void {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && relative(folder, path) !== "manifest.json")
    .sort()
    .map((path) => {
      const content = readFileSync(path)
      return {
        path: relative(folder, path),
        bytes: content.length,
        sha256: createHash("sha256").update(content).digest("hex"),
      }
    })
  const about = { format: 1, kernel: release(), host: hostname(), wan: wan ?? null, made_at: new Date().toISOString() }
  writeFileSync(join(folder, "manifest.json"), `${JSON.stringify({ ...about, files }, undefined, 1)}\n`)
}
