/** Very many ordinary flows at once, with real sockets, through the real collector and analyzer: no alert may come of them. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { join } from "node:path"
import { canary } from "./cases/relays.js"
import { pidOf } from "./case.js"
import { startLab } from "./fixtures.js"
import { addresses, makeNetwork } from "./network.js"
import type { LabNetwork } from "./network.js"
import { concerns, isAlarming } from "./outcome.js"
import { canaryLimitMs } from "./play.js"
import { waitForLine } from "./processes.js"
import { Watch } from "./watch.js"

/** Programs that share the flows: one alone would be one that makes too many connections. */
const programs = 40
/** Of all flows, those that stand until the end; the others come and go meanwhile. */
const heldShare = 1 / 3
/** Short flows a second, of all programs together. */
const pace = 40
const [firstPort, portsEach, servers] = [23_000, 4, 4]

/** Returns the exit code: 0 for none, 1 for an alert. */
export async function soak(count: number): Promise<number> {
  const held = Math.max(1, Math.round((count * heldShare) / programs))
  const short = Math.max(1, Math.round(count / programs) - held)
  const seconds = (short * programs) / pace
  console.log(
    `soak: ${programs} programs, each holds ${held} flows and makes ${short} more within ${seconds.toFixed(0)} s`,
  )
  const network = makeNetwork()
  const clients: ChildProcess[] = []
  try {
    const lab = await startLab(network)
    for (let i = 0; i < servers; i++)
      await network.serve("outside", "soak_server.py", `${firstPort + i * portsEach}`, `${portsEach}`)
    const watch = await Watch.start(network.folder)
    try {
      for (let i = 0; i < programs; i++) clients.push(client(network, held, short, seconds, i))
      await Promise.all(clients.map((one) => waitForLine(one, "held")))
      console.log(`soak: ${held * programs} flows stand`)
      await Promise.all(clients.map((one) => waitForLine(one, "made")))
      const from = watch.arrivals.length
      const sentinel = await canary.run(lab)
      const passed = await watch.find(from, (f) => isAlarming(f) && concerns(f, sentinel.pids), canaryLimitMs)
      await sentinel.end()
      const did = await Promise.all(clients.map(end))
      const [messages, lost, made] = [0, 1, 2].map((i) => did.reduce((sum, words) => sum + (words[i] ?? 0), 0))
      console.log(
        `soak: ${held * programs + (lost ?? 0) + (made ?? 0)} flows, ${messages ?? 0} messages on those that stood`,
      )
      const pids = clients.map(pidOf)
      const alerts = watch.arrivals.filter(({ finding }) => isAlarming(finding) && concerns(finding, pids))
      for (const { finding } of alerts)
        console.log(`soak: ALERT ${finding.class} ${finding.severity}: ${finding.summary}`)
      console.log(
        `soak: ${alerts.length} alerts; the canary after it was ${passed === undefined ? "NOT found" : "found"}`,
      )
      return alerts.length === 0 && passed !== undefined ? 0 : 1
    } finally {
      await watch.stop()
    }
  } finally {
    network.remove()
  }
}

function client(network: LabNetwork, held: number, short: number, seconds: number, seed: number): ChildProcess {
  const program = join(import.meta.dirname, "programs", "soak_client.py")
  const numbers = [firstPort, portsEach * servers, held, short, seconds, seed].map((n) => `${n}`)
  const words = ["netns", "exec", network.namespace("inside"), "/usr/bin/python3", "-B", program, addresses.outside]
  return spawn("ip", [...words, ...numbers], { stdio: ["pipe", "pipe", "pipe"], cwd: network.folder })
}

/** Tells it to end; what it did, in numbers. */
async function end(child: ChildProcess): Promise<readonly number[]> {
  const line = waitForLine(child, "did")
  child.stdin?.end("end\n")
  return (await line).split(" ").slice(1).map(Number)
}
