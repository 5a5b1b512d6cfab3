import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, rm, rmdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { tunnelFinding } from "./finding.js"
import { firstLine } from "./first-line.js"
import { makeMachines } from "./machines.js"
import type { Machine } from "./machines.js"
import { findingAddress, pageAddress } from "./page.js"
import { openTunnel, servicePort, startSshServer, tunnelPort } from "./tunnel.js"

// Compiled to test/dist/demo.
const root = join(import.meta.dirname, "..", "..", "..")
const limitMs = 60_000
const stopLimitMs = 10_000
/** sshd gives up its privileges in this folder, and refuses to start without it. */
const sshdFolder = "/run/sshd"

export interface DemoOptions {
  /** The collector's program, where it is not the one that was built here. */
  readonly collector?: string | undefined
  /** Where the store goes; without it, to a folder that is removed at the end. */
  readonly state?: string | undefined
}

/** Undoes one step. They run in the reverse order of the steps. */
type Undo = () => Promise<unknown>

/**
 * Opens a real reverse tunnel between two network namespaces, watches for its finding, and removes everything again.
 * Returns the exit code: 0 only where the finding arrived, 130 after an interrupt, else 1.
 */
export async function runDemo(options: DemoOptions = {}): Promise<number> {
  const ready = spawnSync("sh", [join(root, "setup.sh"), "demo"], { stdio: "inherit" })
  if (ready.status !== 0) return 1
  const interrupt = new AbortController()
  const onSignal = () => interrupt.abort()
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  signals.forEach((signal) => process.on(signal, onSignal))
  const undo: Undo[] = []
  let exitCode = 0
  const deadline = AbortSignal.timeout(limitMs)
  try {
    const page = await show(options, undo, AbortSignal.any([interrupt.signal, deadline]))
    if (page !== undefined) print(`the page shows it: ${page}`)
    // Nobody looks at a page where nobody sits at a terminal.
    if (page !== undefined && process.stdout.isTTY) {
      print("everything goes on until Ctrl-C")
      if (!interrupt.signal.aborted) await once(interrupt.signal, "abort")
    }
  } catch (error) {
    exitCode = interrupt.signal.aborted ? 130 : 1
    const message = error instanceof Error ? error.message : String(error)
    print(
      interrupt.signal.aborted ? "interrupted" : deadline.aborted ? `no finding within ${limitMs / 1000} s` : message,
    )
  }
  for (const step of undo.reverse()) {
    await step().catch((error: unknown) => {
      exitCode ||= 1
      print(`could not clean up: ${String(error)}`)
    })
  }
  print("removed everything it made")
  signals.forEach((signal) => process.off(signal, onSignal))
  return exitCode
}

/** Where the page shows the finding, once it has arrived. */
async function show(options: DemoOptions, undo: Undo[], signal: AbortSignal): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "backflow-demo-"))
  undo.push(() => rm(folder, { recursive: true, force: true }))
  if ((await mkdir(sshdFolder, { recursive: true, mode: 0o755 })) !== undefined) undo.push(() => rmdir(sshdFolder))

  const state = options.state ?? join(folder, "state")
  const backflow = startBackflow(folder, state, options)
  undo.push(() => stop(backflow))
  const lines: string[] = []
  await firstLine(backflow, {
    name: "backflow up",
    stream: backflow.stdout,
    matches: (line) => line.startsWith("ready"),
    signal,
    onLine: (line) => {
      lines.push(line)
      console.log(line)
    },
  })

  const machines = await makeMachines()
  undo.push(machines.remove)
  const { inside, outside } = machines
  print(`made two machines: inside ${inside.address}, and outside ${outside.address} behind a gateway`)
  await startProgram(inside, "service.js", signal)
  await startSshServer(outside, folder, signal)
  const ssh = openTunnel(machines, folder)
  if (ssh.pid === undefined) throw new Error("ssh did not start")
  print(`inside runs ssh -N -R ${tunnelPort}:127.0.0.1:${servicePort} root@${outside.address}, process ${ssh.pid}`)
  const answer = await startProgram(outside, "visitor.js", signal)
  const usedAt = performance.now()
  print(`outside asked http://127.0.0.1:${tunnelPort}/ and the service inside answered: ${answer}`)

  const findings = join(folder, "findings.jsonl")
  const arrival = tunnelFinding(findings, ssh.pid, signal)
  const finding = await Promise.race([arrival, rejectOnExit(backflow, "backflow"), rejectOnExit(ssh, "ssh")])
  print(`found ${((performance.now() - usedAt) / 1000).toFixed(2)} s after the first answer had left`)
  const page = pageAddress(lines)
  return page === undefined ? undefined : findingAddress(page, finding.id, state, process.stdout.isTTY)
}

function startBackflow(folder: string, state: string, options: DemoOptions): ChildProcess {
  const words = ["up", "--state", state]
  words.push("--findings-jsonl", join(folder, "findings.jsonl"), "--listen", `unix:${join(folder, "collector.sock")}`)
  if (options.collector !== undefined) words.push("--collector", options.collector)
  return spawn(process.execPath, [join(root, "analyzer", "bin", "backflow.js"), ...words], {
    // A group of its own: an interrupt at the terminal is for the demonstration, which then stops it in order.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  })
}

/** Starts a program of this folder on a machine; resolves with the first line that it prints. */
function startProgram(machine: Machine, name: string, signal: AbortSignal): Promise<string> {
  const child = machine.start(process.execPath, [join(import.meta.dirname, name)])
  return firstLine(child, { name, stream: child.stdout, matches: () => true, signal })
}

async function rejectOnExit(child: ChildProcess, name: string): Promise<never> {
  await once(child, "exit")
  throw new Error(`${name} ended before the finding arrived`)
}

/** Interrupts it, and kills it when it has not ended in time. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, "exit")
  child.kill("SIGINT")
  const timer = setTimeout(() => child.kill("SIGKILL"), stopLimitMs)
  await exit
  clearTimeout(timer)
}

function print(text: string): void {
  console.log(`demo: ${text}`)
}
