/** Labelled recordings: which scenario the edges of a recording belong to, by what the labs write beside it. */
import { readFileSync, readdirSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { recordedStreams } from "@backflow/analyzer/ingest/server/recording"
import type { Microseconds, ProcessFacts } from "@backflow/analyzer/domain/identity"
import type { Kind } from "../case.js"
import type { Truth } from "../record.js"

export interface Scenario {
  readonly name: string
  readonly kind: Kind
}

/** Edges that were judged, by who has them: `lineage` is their processes and what these descend from, nearest first. */
export interface Doing {
  readonly lineage: readonly ProcessFacts[]
  readonly atUs: Microseconds
  /** Own address of the connection to the outside; nothing where it was never seen. */
  readonly localAddress: string | undefined
}

/** Streams of collectors, and whose doing in them is whose. */
export interface LabelledRecording {
  readonly streams: readonly string[]
  readonly scenarios: readonly Scenario[]
  /** Nothing for what is no part of a scenario. */
  readonly scenarioOf: (doing: Doing) => Scenario | undefined
}

/** Batches that were under way when a scenario ended still count for it. */
const slackUs = 1_000_000

/**
 * Every labelled recording below the folder, in either form of docs/benchmark.md: a scenario of the data set (truth.json, and
 * the streams in backflow/), or a run of any other lab (labels.json, and the streams in recording/).
 */
export function labelledRecordings(folder: string): LabelledRecording[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()
  return files.flatMap((file) => {
    const path = join(folder, file)
    if (basename(file) === "truth.json") return [ofDataSet(path)]
    return basename(file) === "labels.json" ? [ofWorkingFolders(path)] : []
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
    scenarioOf: ({ lineage, atUs }) =>
      truth.start_us <= atUs && atUs <= truth.end_us + slackUs && lineage.some(({ pid }) => pids.has(pid))
        ? scenario
        : undefined,
  }
}

/** What labels.json holds. */
export interface Labels {
  /** Addresses of machines of the lab that are not the watched one, where all are namespaces of one kernel. */
  readonly elsewhere: readonly string[]
  /** Each with the folder in which its programs were started, and no other's. */
  readonly scenarios: readonly (Scenario & { readonly folder: string })[]
}

/**
 * Many scenarios in one recording, which run over each other and beside other programs of the machine: each is what was started
 * in its folder, and what descends from that, wherever it went. Neither time nor process ids are needed, which come again.
 */
function ofWorkingFolders(file: string): LabelledRecording {
  const labels = JSON.parse(readFileSync(file, "utf8")) as Labels
  const [elsewhere, byFolder] = [new Set(labels.elsewhere), new Map<string, Scenario>()]
  for (const { name, kind, folder } of labels.scenarios) byFolder.set(folder, { name, kind })
  return {
    streams: recordedStreams(join(dirname(file), "recording")),
    scenarios: [...byFolder.values()],
    scenarioOf({ lineage, localAddress }) {
      if (localAddress !== undefined && elsewhere.has(localAddress)) return undefined
      return lineage.map(({ cwd }) => enclosing(cwd, byFolder)).find((scenario) => scenario !== undefined)
    },
  }
}

/** The scenario whose folder this is, or lies in. */
function enclosing(folder: string, byFolder: ReadonlyMap<string, Scenario>): Scenario | undefined {
  for (let at = folder; at.length > 1; at = dirname(at)) {
    const scenario = byFolder.get(at)
    if (scenario !== undefined) return scenario
    if (dirname(at) === at) return undefined
  }
  return undefined
}
