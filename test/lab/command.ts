import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { ablations } from "./ablation.js"
import type { Ablation } from "./ablation.js"
import type { Lab } from "./case.js"
import { choose } from "./catalogue.js"
import type { Choice, Entry } from "./catalogue.js"
import { startLab } from "./fixtures.js"
import { latencyDrawing, rateDrawing } from "./drawing.js"
import { makeNetwork } from "./network.js"
import type { Outcome } from "./outcome.js"
import { play } from "./play.js"
import { Progress } from "./progress.js"
import { record } from "./record.js"
import { markdown, writeIntoDocs } from "./report.js"
import type { Report } from "./report.js"
import { missingForLab } from "./requirements.js"
import { isPlayed } from "./score.js"
import { soak } from "./soak.js"
import { missingForWan } from "./wan.js"
import type { Wan } from "./wan.js"
import { Watch } from "./watch.js"
import { fitWeights } from "./weights/command.js"

const usage = `Usage: npm run lab -- [--only REGEX] [--kind malicious|benign] [--part K/N] ...

Plays real programs in network namespaces against this checkout's product, and prints what was found, what was not, and
what woke somebody for nothing. Needs root and a build; everything takes about 20 minutes.

  --only REGEX     cases whose family/name matches
  --kind KIND      malicious or benign
  --part K/N       part K of N: every N-th case, so that parts are alike
  --list           names of the chosen cases, and no more
  --rtt MS         round trip of the link to the outside (default 20; 0: none)
  --loss PERCENT   packets that it loses (default 0.1)
  --bytes          also compare both ends of each connection that was found
  --no-ablation    leave out what each observation is worth
  --out DIR        write lab.md, lab.json, latency.svg and rates.svg into DIR
  --write-docs     put the table into docs/detection.md, and the pictures beside it
  --record DIR     make the data set of docs/benchmark.md instead: nothing is judged
  --weights DIR    fit the weights of the coupling score on half of the recordings in DIR and try them on the other,
                   instead: with --out as weights.md and weights.json, with --write-docs into docs/detection.md
  --soak COUNT     ordinary flows of COUNT, long and short, that must raise no alert, instead
`

/** Returns the exit code: 0 also for misses, which are a result; 1 when something could not be played. */
export async function command(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      kind: { type: "string" },
      part: { type: "string" },
      list: { type: "boolean" },
      rtt: { type: "string", default: "20" },
      loss: { type: "string", default: "0.1" },
      bytes: { type: "boolean" },
      "no-ablation": { type: "boolean" },
      out: { type: "string" },
      "write-docs": { type: "boolean" },
      record: { type: "string" },
      weights: { type: "string" },
      soak: { type: "string" },
      help: { type: "boolean" },
    },
  })
  const choice = choiceOf(values)
  const wan: Wan = { roundTripMs: Number(values.rtt), lossPercent: Number(values.loss) }
  const soakFlows = values.soak === undefined ? undefined : Number(values.soak)
  if (
    values.help === true ||
    choice === undefined ||
    Number.isNaN(wan.roundTripMs + wan.lossPercent + (soakFlows ?? 0))
  ) {
    console.log(usage)
    return values.help === true ? 0 : 64
  }
  const entries = choose(choice)
  if (values.list === true) {
    for (const { family, case: one } of entries) console.log(`${family}/${one.name}`)
    return 0
  }
  if (values.weights !== undefined) return fitWeights(values.weights, values.out, values["write-docs"] === true)
  const missing = missingForLab() ?? (wan.roundTripMs > 0 ? missingForWan() : undefined)
  if (missing !== undefined) {
    console.error(`lab: cannot run, ${missing}`)
    return 1
  }
  const link = wan.roundTripMs > 0 ? wan : undefined
  if (soakFlows !== undefined) return soak(soakFlows)
  if (values.record !== undefined) return record(values.record, entries, link)
  const report = await run(entries, link, {
    checksBytes: values.bytes === true,
    ablates: values["no-ablation"] !== true,
  })
  console.log(`\n${markdown(report)}\n`)
  if (values.out !== undefined) writeReport(values.out, report)
  if (values["write-docs"] === true) {
    writeIntoDocs(markdown(report), "lab")
    writeDrawings(join(import.meta.dirname, "..", "..", "docs"), "lab-", report)
  }
  return report.outcomes.some(({ failed }) => failed !== undefined) ? 1 : 0
}

function choiceOf(values: { only?: string; kind?: string; part?: string }): Choice | undefined {
  const { only, kind, part } = values
  const numbers = /^([1-9]\d*)\/([1-9]\d*)$/.exec(part ?? "1/1")
  const [k, n] = [Number(numbers?.[1]), Number(numbers?.[2])]
  if (numbers === null || k > n || (kind !== undefined && kind !== "malicious" && kind !== "benign")) return undefined
  return {
    part: { k, n },
    ...(kind === undefined ? {} : { kind }),
    ...(only === undefined ? {} : { only: new RegExp(only) }),
  }
}

async function run(
  entries: readonly Entry[],
  wan: Wan | undefined,
  { checksBytes, ablates }: { readonly checksBytes: boolean; readonly ablates: boolean },
): Promise<Report> {
  const network = makeNetwork(wan)
  const outcomes: Outcome[] = []
  let worth: readonly Ablation[] = []
  try {
    const lab: Lab = await startLab(network)
    const recording = join(network.folder, "recording")
    const watch = await Watch.start(network.folder, ["--record", recording])
    const table = { lab, watch, checksBytes, culprits: [] }
    const progress = new Progress(entries.length)
    try {
      for (const { family, case: one } of entries) {
        progress.begin(one.name)
        outcomes.push(await play(family, one, table))
        progress.end(outcomes.at(-1) as Outcome)
      }
    } finally {
      progress.finish()
      await watch.stop()
    }
    if (ablates && outcomes.some(isPlayed))
      worth = ablations(recording, outcomes, (name) => console.log(`without ${name}`))
  } finally {
    network.remove()
  }
  return { wan, outcomes, ablations: worth }
}

function writeReport(folder: string, report: Report): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "lab.md"), `${markdown(report)}\n`)
  writeFileSync(join(folder, "lab.json"), `${JSON.stringify(report, undefined, 1)}\n`)
  writeDrawings(folder, "", report)
}

function writeDrawings(folder: string, prefix: string, { outcomes }: Report): void {
  writeFileSync(join(folder, `${prefix}latency.svg`), latencyDrawing(outcomes))
  writeFileSync(join(folder, `${prefix}rates.svg`), rateDrawing(outcomes))
}
