import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { setTimeout as pause } from "node:timers/promises"
import { pidOf } from "../lab/case.js"
import { makeNetwork } from "../lab/network.js"
import type { LabNetwork } from "../lab/network.js"
import { waitForLine } from "../lab/processes.js"
import { alertsOf } from "./alerts.js"
import type { AlertFigures } from "./alerts.js"
import { Canaries, names } from "./canaries.js"
import type { CanaryResult, When } from "./canaries.js"
import type { Flood } from "./catalogue.js"
import { Liveness } from "./liveness.js"
import type { LivenessReport } from "./liveness.js"
import { Product } from "./product.js"
import { compilePrograms } from "./programs.js"
import type { Programs } from "./programs.js"
import { SecondHost } from "./second-host.js"

/** What one flood did. */
export interface Measurement {
  readonly flood: Flood
  /** How many it made, and in how long. */
  readonly made: number
  readonly floodSeconds: number
  readonly canaries: readonly CanaryResult[]
  /** Milliseconds from a second host's batch to its finding: alone, and while the flood was at work; 5,000 where none came. */
  readonly secondHost: { readonly alone: readonly number[]; readonly during: readonly number[] }
  readonly liveness: LivenessReport
  /** Highest ever, bytes. */
  readonly collectorRssBytes: number | undefined
  readonly analyzer: { readonly cpuSeconds: number; readonly highestRssBytes: number } | undefined
  /** By kind; undefined when /metrics did not answer. */
  readonly losses: Readonly<Record<string, number>> | undefined
  /** What the product says of the flood itself, by class. */
  readonly findingsOnFlood: Readonly<Record<string, number>>
  readonly alerts: AlertFigures
  /** Seconds that a stop took; undefined when it had to be killed. */
  readonly stopSeconds: number | undefined
}

export interface Length {
  /** Also a canary a minute later, and the stop while the flood is at work again. */
  readonly isFull: boolean
  readonly progress: (line: string) => void
}

const aloneSamples = 10
const betweenSamplesMs = 300
const minuteMs = 60_000

/** Runs one flood against a product of its own, in a network of its own. */
export async function measureFlood(flood: Flood, length: Length): Promise<Measurement> {
  const network = makeNetwork()
  let product: Product | undefined
  const interrupt = (): never => {
    product?.kill()
    network.remove()
    process.exit(130)
  }
  for (const signal of interrupts) process.once(signal, interrupt)
  try {
    network.delayOutside()
    const programs = compilePrograms(network.folder)
    product = await Product.start(network.folder)
    const seen = await floodAndLook(flood, length, { network, programs, product })
    return { ...seen, stopSeconds: await stopUnderFlood(flood, length, programs, product) }
  } finally {
    for (const signal of interrupts) process.off(signal, interrupt)
    product?.kill()
    network.remove()
  }
}

const interrupts = ["SIGINT", "SIGTERM"] as const

interface Setting {
  readonly network: LabNetwork
  readonly programs: Programs
  readonly product: Product
}

async function floodAndLook(flood: Flood, length: Length, setting: Setting): Promise<Omit<Measurement, "stopSeconds">> {
  const { product, programs } = setting
  const { progress, isFull } = length
  const canaries = await Canaries.prepare(setting.network, programs.canary, product.watch)
  const runCanaries = async (when: When): Promise<void> => {
    const found = await Promise.all(flood.canaries.map((kind) => canaries.run(kind, when)))
    for (const { kind, class: name, seconds } of found)
      progress(
        `  ${when}: ${kind} ${seconds === undefined ? `not found (${name ?? "nothing"})` : `${seconds.toFixed(2)} s`}`,
      )
  }
  const secondHost = await SecondHost.connect(product.address, product.watch)
  const alone: number[] = []
  for (let i = 0; i < aloneSamples; i++) {
    alone.push(await secondHost.findRelay())
    await pause(betweenSamplesMs)
  }
  await runCanaries("before")

  const liveness = new Liveness(product.pageAddress)
  const before = product.analyzerUse()?.cpuSeconds ?? 0
  const sinceUs = Date.now() * 1_000
  const child = startFlood(flood, programs)
  const done = waitForLine(child, "done")
  await waitForLine(child, "started")
  const during = sampleUntil(done, secondHost)
  const midway = pause(flood.midwayMs).then(() => runCanaries("during"))
  const [, made = 0, ms = 0] = (await done).split(" ").map(Number)
  progress(`  the flood made ${made} in ${(ms / 1e3).toFixed(1)} s`)
  await midway
  await runCanaries("after")
  const analyzer = product.analyzerUse()
  if (isFull) {
    await pause(minuteMs)
    await runCanaries("minute after")
  }
  const losses = await product.losses()
  const results = canaries.results()
  const report = await liveness.stop()
  secondHost.close()
  const collectorRssBytes = product.collectorUse()?.highestRssBytes
  return {
    flood,
    made,
    floodSeconds: ms / 1e3,
    canaries: results,
    secondHost: { alone, during: await during },
    liveness: report,
    collectorRssBytes,
    analyzer: analyzer && {
      cpuSeconds: analyzer.cpuSeconds - before,
      highestRssBytes: product.analyzerUse()?.highestRssBytes ?? analyzer.highestRssBytes,
    },
    losses,
    findingsOnFlood: classesNaming(product, pidOf(child)),
    alerts: alertsOf(product, pidOf(child), sinceUs, results),
  }
}

function startFlood(flood: Flood, programs: Programs): ChildProcess {
  return spawn(programs.flood, flood.args, { stdio: ["ignore", "pipe", "pipe"] })
}

/** What a second host waits for a finding, again and again until the flood has ended. */
async function sampleUntil(done: Promise<unknown>, secondHost: SecondHost): Promise<readonly number[]> {
  const samples: number[] = []
  const end = new AbortController()
  const abort = () => end.abort()
  done.then(abort, abort)
  while (!end.signal.aborted) {
    samples.push(await secondHost.findRelay())
    await pause(betweenSamplesMs)
  }
  return samples
}

function classesNaming({ watch }: Product, pid: number): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  const ids = new Set<string>()
  for (const { finding } of watch.arrivals) {
    if (!names(finding, pid) || ids.has(finding.id)) continue
    ids.add(finding.id)
    counts[finding.class] = (counts[finding.class] ?? 0) + 1
  }
  return counts
}

/** At full length the flood is at work again when the stop comes. */
async function stopUnderFlood(
  flood: Flood,
  { isFull }: Length,
  programs: Programs,
  product: Product,
): Promise<number | undefined> {
  if (!isFull) return product.stop()
  const child = startFlood(flood, programs)
  const ended = once(child, "close")
  await waitForLine(child, "started")
  await pause(flood.midwayMs)
  const seconds = await product.stop()
  child.kill("SIGTERM")
  await ended
  return seconds
}
