import { spawnSync } from "node:child_process"
import { statSync } from "node:fs"
import { delimiter } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { bytesAgree } from "./bytes.js"
import { canary } from "./cases/relays.js"
import type { Case, Lab, Run } from "./case.js"
import { kindOf } from "./case.js"
import { toolFolder } from "./executables.js"
import { concerns, isAlarming, malicious, sighting } from "./outcome.js"
import type { Outcome } from "./outcome.js"
import type { Arrival, LabFinding, Watch } from "./watch.js"

/** How long a finding may take once a case has been used. */
export const findLimitMs = 10_000
/** A case whose own traffic takes longer hangs, and is given up. */
const caseLimitMs = 90_000
/** The canary only has to come through, however busy the machine is. */
export const canaryLimitMs = 30_000

export interface Table {
  readonly lab: Lab
  readonly watch: Watch
  /** Compares both ends of what was found: takes a second for each case. */
  readonly checksBytes: boolean
  /** Processes of canaries and malicious cases so far: a finding on one of them may come late, and is nobody else's. */
  readonly culprits: number[]
}

/** Plays one case from its start to its end. Never throws over the case itself: the outcome tells. */
export async function play(family: string, one: Case, table: Table): Promise<Outcome> {
  const startUs = Date.now() * 1000
  const plain = { name: one.name, family, kind: kindOf(one), startUs }
  const missing = missingPrograms(one)
  if (missing.length > 0) return { ...plain, endUs: startUs, pids: [], skipped: `${missing.join(", ")} missing` }
  const from = table.watch.arrivals.length
  let run: Run
  try {
    run = await within(caseLimitMs, one.run(table.lab))
  } catch (error) {
    return {
      ...plain,
      endUs: Date.now() * 1000,
      pids: [],
      failed: error instanceof Error ? error.message : String(error),
    }
  }
  const rest =
    one.finds === undefined ? await judgeBenign(run, from, table) : await judgeMalicious(one, run, from, table)
  const first = run.firstUs === undefined ? {} : { firstUs: run.firstUs }
  return { ...plain, endUs: Date.now() * 1000, pids: run.pids, ...first, ...rest }
}

async function within<T>(limitMs: number, step: Promise<T>): Promise<T> {
  const stop = new AbortController()
  const late = pause(limitMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`its traffic was not through after ${limitMs / 1000} s`)
  })
  try {
    return await Promise.race([step, late])
  } finally {
    late.catch(() => undefined)
    stop.abort()
  }
}

async function judgeMalicious(one: Case, run: Run, from: number, table: Table): Promise<Partial<Outcome>> {
  const { watch, checksBytes, culprits } = table
  const isWanted = (finding: LabFinding): boolean =>
    one.finds?.class.includes(finding.class) === true && isAlarming(finding) && concerns(finding, run.pids)
  const arrival = await watch.find(from, isWanted, findLimitMs)
  culprits.push(...run.pids)
  const cookie = arrival?.finding.connection?.cookie
  const exact =
    checksBytes && cookie !== undefined && one.endsDiffer !== true ? { isExact: await bytesAgree(watch, cookie) } : {}
  const outcome = malicious(one, run, watch.arrivals.slice(from))
  await run.end()
  return { ...outcome, ...exact }
}

async function judgeBenign(run: Run, from: number, { lab, watch, culprits }: Table): Promise<Partial<Outcome>> {
  await run.end()
  // Once a relay that came later is found, everything before it has been judged: silence is no blindness.
  const sentinel = await canary.run(lab)
  culprits.push(...sentinel.pids)
  const passed = await watch.find(from, (f) => isAlarming(f) && concerns(f, sentinel.pids), canaryLimitMs)
  await sentinel.end()
  if (passed === undefined)
    return { failed: "the canary after it was not found: nothing can be said of what came before" }
  const alert = firstAlarm(lab, run, watch, from, culprits)
  return alert === undefined ? {} : { alert: sighting(alert) }
}

/** Of what is new since `from`, the first alarm about anything of this lab that is no culprit. */
function firstAlarm(lab: Lab, run: Run, watch: Watch, from: number, culprits: readonly number[]): Arrival | undefined {
  const known = new Set(watch.arrivals.slice(0, from).map(({ finding }) => finding.id))
  return watch.arrivals
    .slice(from)
    .find(
      ({ finding }) =>
        isAlarming(finding) && !known.has(finding.id) && !concerns(finding, culprits) && isOfLab(finding, lab, run),
    )
}

/** Other programs of this machine are no part of it: ours come from this process, or live in our namespaces. */
function isOfLab(finding: LabFinding, { network }: Lab, run: Run): boolean {
  const inode = statSync(`/run/netns/${network.namespace("inside")}`).ino
  return concerns(finding, [...run.pids, process.pid]) || finding.connection?.netns === inode
}

export function missingPrograms({ needs = [] }: Case): readonly string[] {
  const path = `${toolFolder}${delimiter}${process.env["PATH"] ?? ""}${delimiter}/usr/sbin`
  const isMissing = (name: string): boolean =>
    spawnSync("sh", ["-c", 'command -v "$0"', name], { env: { PATH: path } }).status !== 0
  return needs.filter(isMissing)
}
