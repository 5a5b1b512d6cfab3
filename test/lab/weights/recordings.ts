/** Labelled recordings: which scenario the edges of a recording belong to, by what the labs write beside it. */
import { readFileSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { recordedStreams } from "@backflow/analyzer/ingest/server/recording"
import type { Microseconds, ProcessFacts } from "@backflow/analyzer/domain/identity"
import type { Kind } from "../case.js"
import type { Truth } from "../record.js"

export interface Scenario {
  readonly name: string
  readonly kind: Kind
}

/** Streams of collectors, and whose doing in them is whose. */
export interface LabelledRecording {
  readonly streams: readonly string[]
  readonly scenarios: readonly Scenario[]
  /** `lineage` is a process and what it descends from, nearest first. Nothing for what is no part of a scenario. */
  readonly scenarioOf: (lineage: readonly ProcessFacts[], atUs: Microseconds) => Scenario | undefined
}

/** Batches that were under way when a scenario ended still count for it. */
const slackUs = 1_000_000

/**
 * Every labelled recording below the folder. Two forms are known: a scenario of the data set (truth.json, and the streams in
 * backflow/), and a run of a lab that gives each scenario a control group of its own (result.json, and the streams in recording/).
 */
export function labelledRecordings(folder: string): LabelledRecording[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()
  return files.flatMap((file) => {
    const path = join(folder, file)
    if (/(^|\/)truth\.json$/.test(file)) return [ofDataSet(path)]
    if (/(^|\/)result\.json$/.test(file)) return [ofControlGroups(path)]
    return []
  })
}

/** One scenario alone on its host: it is whatever its processes and their children did, while it was played. */
function ofDataSet(file: string): LabelledRecording {
  const truth = JSON.parse(readFileSync(file, "utf8")) as Truth
  const scenario = { name: `${truth.family}/${truth.scenario}`, kind: truth.kind }
  const own = truth.sockets.filter(({ role }) => role !== "accepted").flatMap(({ processes }) => processes)
  const pids = new Set([...truth.pids, ...own.map(({ pid }) => pid)])
  return {
    streams: recordedStreams(join(dirname(file), "backflow")),
    scenarios: [scenario],
    scenarioOf: (lineage, atUs) =>
      truth.start_us <= atUs && atUs <= truth.end_us + slackUs && lineage.some(({ pid }) => pids.has(pid))
        ? scenario
        : undefined,
  }
}

interface LabResult {
  readonly results: readonly {
    readonly name: string
    readonly kind: Kind
    readonly broken?: string
    readonly skipped?: string
  }[]
}

/** `/bflab<suffix>/<scenario>.<round><suffix>`: the suffix tells labs apart that were played side by side on one kernel. */
const controlGroup = /\/bflab([^/]*)\/([^/]+)\.\d+\1(?:\/|$)/

/**
 * Each scenario in a control group of its own, which children inherit and no title hides: that is its label, and no time is
 * needed. What was broken by itself is left out.
 */
function ofControlGroups(file: string): LabelledRecording {
  const { results } = JSON.parse(readFileSync(file, "utf8")) as LabResult
  const played = results.filter(({ broken, skipped }) => broken === undefined && skipped === undefined)
  const scenarios = new Map(played.map(({ name, kind }) => [name, { name, kind }]))
  return {
    streams: recordedStreams(join(dirname(file), "recording")),
    scenarios: [...scenarios.values()],
    scenarioOf: (lineage) => {
      for (const { cgroup } of lineage) {
        const name = controlGroup.exec(cgroup)?.[2]
        if (name !== undefined) return scenarios.get(name)
      }
      return undefined
    },
  }
}
