/** `--weights`: what labelled recordings say of the weights of the coupling score. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { writeIntoDocs } from "../report.js"
import { labelledRecordings } from "./recordings.js"
import { samples } from "./samples.js"
import { weightsMarkdown } from "./table.js"
import { weights } from "./weigh.js"

/** Returns the exit code. */
export function fitWeights(folder: string, out: string | undefined, writesDocs: boolean): number {
  const recordings = labelledRecordings(folder)
  if (recordings.length === 0) {
    console.error(`lab: no labelled recording in ${folder}: make one with --record, or see docs/benchmark.md`)
    return 1
  }
  const names = new Set(recordings.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)))
  console.log(`${recordings.length} recordings with labels of ${names.size} scenarios`)
  const found = weights((factors) => samples(recordings, factors))
  const text = weightsMarkdown(found)
  console.log(`\n${text}\n`)
  if (out !== undefined) {
    mkdirSync(out, { recursive: true })
    writeFileSync(join(out, "weights.md"), `${text}\n`)
    writeFileSync(join(out, "weights.json"), `${JSON.stringify(found, undefined, 1)}\n`)
  }
  if (writesDocs) writeIntoDocs(text, "weights")
  return 0
}
