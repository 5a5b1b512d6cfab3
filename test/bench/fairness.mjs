/**
 * What one host costs another: how long it takes until a finding of host B is out, and until its batch is acknowledged, alone and
 * while host A sends as fast as it can; and how long /livez and a stop take meanwhile. Ratios within one run.
 * Run after a build: node test/bench/fairness.mjs [batches of B] [records in each message of A] [records|processes]
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { backflow } from "@backflow/proto"
import { FakeCollector } from "@backflow/analyzer/testing/fake-collector"
import { batch, connections, hello, process as processFacts } from "@backflow/analyzer/testing/wire-messages"

const [batches = 60, size = 8_192] = process.argv.slice(2, 4).map(Number)
const kind = process.argv[4] ?? "records"
const program = fileURLToPath(new URL("../../analyzer/bin/backflow.js", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "backflow-fairness-"))
const state = join(folder, "state")
const address = `unix:${join(folder, "socket")}`
const args = ["analyzer", "--state", state, "--listen", address, "--page", "127.0.0.1:0", "--findings-jsonl", "-"]
const analyzer = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })

/** When the finding about a pid came out. */
const found = new Map()
let page
const ready = new Promise((resolve) => {
  const look = (line) => {
    page ??= /page +(http:\S+)/.exec(line)?.[1]
    if (line.startsWith("{")) found.set(JSON.parse(line).process?.pid, performance.now())
    if (page !== undefined) resolve()
  }
  createInterface({ input: analyzer.stdout }).on("line", look)
  createInterface({ input: analyzer.stderr }).on("line", look)
})
await ready

const nowUs = () => Date.now() * 1_000
const wire = backflow.v1.Batch
const encoded = (fields) => Buffer.from(wire.encode(wire.fromObject(fields)).finish())
/** What A sends, but for its number: encoded once, so that this process does not slow down what it measures. */
const base = nowUs()
const bulk =
  kind === "processes"
    ? encoded({
        processes: Array.from({ length: size }, (_, i) => processFacts(i + 1, i + 1, { argv: ["a".repeat(60)] })),
      })
    : encoded({
        connections: connections(
          Array.from({ length: size }, (_, i) => ({
            cookie: (i + 1).toString(16),
            localPort: i % 60_000,
            bytesSent: i,
          })),
        ),
      })
function flood(seq) {
  const inner = Buffer.concat([
    encoded({ seq, baseUs: base + seq * 1_000 > nowUs() ? nowUs() : base + seq * 1_000 }),
    bulk,
  ])
  const length = []
  for (let rest = inner.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) break
  }
  return Buffer.concat([Buffer.from([0x22, ...length]), inner])
}

let nextPid = 10_000
async function measure(collector, from) {
  const [stored, out] = [[], []]
  for (let seq = from; seq < from + batches; seq++) {
    const pid = nextPid++
    const argv = ["ssh", "-N", "-R", `${pid}:localhost:80`, "far"]
    const records = [{ cookie: pid.toString(16), process: seq, remotePort: 22 }]
    const sentMs = performance.now()
    collector.send(
      batch(seq, { baseUs: nowUs(), processes: [processFacts(seq, pid, { argv })], connections: connections(records) }),
    )
    await collector.acknowledged(seq)
    stored.push(performance.now() - sentMs)
    while (!found.has(pid)) await delay(1)
    out.push(found.get(pid) - sentMs)
    await delay(50)
  }
  return { stored, out }
}

/** Milliseconds of each answer of /livez, until told to stop. */
function probe() {
  const times = []
  let isOver = false
  const ended = (async () => {
    while (!isOver) {
      const startMs = performance.now()
      await fetch(`${page}/livez`, { headers: { connection: "close" } }).then((response) => response.text())
      times.push(performance.now() - startMs)
      await delay(50)
    }
    return times
  })()
  return () => ((isOver = true), ended)
}

const at = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]
const row = (what, values) => console.log(`${what.padEnd(44)} median ${at(values, 0.5).toFixed(1).padStart(8)} ms   95 % ${at(values, 0.95).toFixed(1).padStart(8)} ms   longest ${Math.max(...values).toFixed(1).padStart(8)} ms`) // prettier-ignore
async function metric(name) {
  const token = readFileSync(join(state, "page-token"), "utf8").trim()
  const text = await (await fetch(`${page}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text()
  return text.split("\n").filter((line) => line.startsWith(name))
}

const quiet = new FakeCollector(address)
quiet.send(hello({ hostId: "quiet", hostName: "quiet" }))
await measure(quiet, 1)
const stopAlone = probe()
const alone = await measure(quiet, 1 + batches)
const livezAlone = await stopAlone()

const hostile = new FakeCollector(address)
hostile.send(hello({ hostId: "hostile", hostName: "hostile" }))
let isFlooding = true
let sent = 0
const flooding = (async () => {
  while (isFlooding) {
    for (let i = 0; i < 4; i++) hostile.send(flood(++sent))
    // Beyond what flow control has let out, this process would only fill its own memory.
    while (isFlooding && sent - hostile.written > 100) await delay(2)
    await delay(0)
  }
})()
while ((hostile.acks.at(-1) ?? 0) < 3) await delay(10)
const stopBeside = probe()
const beside = await measure(quiet, 1 + 2 * batches)
const livezBeside = await stopBeside()
row("finding out, B alone", alone.out)
row("finding out, beside A", beside.out)
row("acknowledged, B alone", alone.stored)
row("acknowledged, beside A", beside.stored)
row("/livez, B alone", livezAlone)
row("/livez, beside A", livezBeside)
console.log(`ratio of medians: finding ${(at(beside.out, 0.5) / at(alone.out, 0.5)).toFixed(2)}, acknowledgement ${(at(beside.stored, 0.5) / at(alone.stored, 0.5)).toFixed(2)}`) // prettier-ignore
console.log(
  `A: ${hostile.acks.at(-1)} of ${hostile.written} messages of ${size} ${kind} (${flood(1).length} bytes) acknowledged`,
)
for (const line of [...(await metric("backflow_event_loop_stall")), ...(await metric("backflow_host_")), ...(await metric("process_resident_memory_bytes"))]) console.log(line) // prettier-ignore

const stopMs = performance.now()
analyzer.kill("SIGTERM")
const code = await new Promise((resolve) => analyzer.once("exit", resolve))
console.log(
  `SIGTERM to the end while A floods: ${((performance.now() - stopMs) / 1_000).toFixed(1)} s, exit code ${code}`,
)
isFlooding = false
await flooding
for (const collector of [quiet, hostile]) collector.close()
rmSync(folder, { recursive: true })
process.exit()
