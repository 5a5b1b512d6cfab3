/**
 * Program for tests and benchmarks, which kill it: writes the batches FIRST to LAST of a stream of findings to the outboxes
 * of an alerts configuration, prints the number of each one that is durable, and ends once everything has left.
 *
 *     node alert-writer.js '{"state": …, "alerts": AlertsConfig, "first": 1, "last": 900, "pauseMs": 1}'
 */
import { setTimeout as delay } from "node:timers/promises"
import type { AlertsConfig } from "../config/load.js"
import type { Finding } from "../domain/finding.js"
import type { Output } from "../domain/output.js"
import { anOutput } from "./outputs.js"
import { startAlerts } from "../alerts/start.js"
import { startUs } from "./time.js"
import { aFinding } from "./findings.js"

/** Findings that live at the same time, each with three versions: open, updated, closed. */
const alive = 20
const states = ["open", "updated", "closed"] as const

export interface WriterTask {
  readonly state: string
  readonly alerts: AlertsConfig
  readonly first: number
  readonly last: number
  /** Between two batches. */
  readonly pauseMs: number
}

/** The n-th batch of the stream, from 1 on: one version of one finding. */
export function batchOf(n: number): Output {
  return anOutput(n, { connections: [], findings: [versionOf(n)] })
}

function versionOf(n: number): Finding {
  const round = Math.floor((n - 1) / alive)
  const number = Math.floor(round / states.length) * alive + ((n - 1) % alive)
  const status = states[round % states.length] ?? "open"
  return aFinding({
    id: `00000000-0000-5000-8000-${String(number).padStart(12, "0")}`,
    version: (round % states.length) + 1,
    status,
    detectedAtUs: startUs + n * 1_000,
  })
}

async function run({ state, alerts: config, first, last, pauseMs }: WriterTask): Promise<void> {
  const ignore = () => undefined
  const print = (_: object, text: string) => void process.stderr.write(`${text}\n`)
  const log = { debug: ignore, info: ignore, warn: print, error: print }
  const alerts = await startAlerts(config, { state, log, nowMs: Date.now, version: "0.0.0" })
  for (let n = first; n <= last; n++) {
    const outputs = [batchOf(n)]
    await Promise.all(alerts.queues.map((queue) => queue.write(outputs)))
    process.stdout.write(`${n}\n`)
    if (pauseMs > 0) await delay(pauseMs)
  }
  const isSent = await alerts.stop(60_000)
  // kafkajs keeps a socket and timers after its broker was killed: nothing else ends this process.
  process.exit(isSent ? 0 : 1)
}

const [task] = process.argv.slice(2)
if (process.argv[1]?.endsWith("alert-writer.js") === true && task !== undefined) {
  await run(JSON.parse(task) as WriterTask)
}
