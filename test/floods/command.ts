import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { floods, shortFloods } from "./catalogue.js"
import { measureFlood } from "./measure.js"
import type { Measurement } from "./measure.js"
import { missingForFloods } from "./requirements.js"
import { goalsText, tables, writeIntoDocs } from "./table.js"

const usage = `Usage: node test/floods/run.mjs [--only NAME]... [--short] [--json FILE] [--write-docs]

Runs floods against this checkout's product, one after the other, and prints a table. Needs root and a build.

  --only NAME   only this flood; may be given more than once: ${floods.map(({ name }) => name).join(", ")}
  --short       those of npm test, as short as there, without the canary a minute after
  --json FILE   also the figures, as JSON; those of floods that did not run now are kept
  --write-docs  put the table into docs/limits.md; with --json, of all floods that are in that file
`

/** Returns the exit code. */
export async function command(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      short: { type: "boolean" },
      json: { type: "string" },
      "write-docs": { type: "boolean" },
      help: { type: "boolean" },
    },
  })
  const all = values.short === true ? shortFloods : floods
  const chosen = all.filter(({ name }) => values.only === undefined || values.only.includes(name))
  if (values.help === true || chosen.length < (values.only?.length ?? 1)) {
    console.log(usage)
    return values.help === true ? 0 : 64
  }
  const missing = missingForFloods()
  if (missing !== undefined) {
    console.error(`cannot run: ${missing}`)
    return 1
  }
  let measurements: readonly Measurement[] = []
  for (const flood of chosen) {
    console.log(`${flood.name}: ${flood.title}`)
    const progress = (line: string) => console.log(line)
    measurements = [...measurements, await measureFlood(flood, { isFull: values.short !== true, progress })]
    if (values.json !== undefined) writeJson(values.json, measurements)
  }
  if (values.json !== undefined) measurements = readJson(values.json)
  console.log(`\n${tables(measurements)}\n\n${goalsText}`)
  if (values["write-docs"] === true) writeIntoDocs(tables(measurements))
  return 0
}

/** In the order of the catalogue. What is undefined is left out. */
function writeJson(file: string, measurements: readonly Measurement[]): void {
  const names = measurements.map(({ flood }) => flood.name)
  const kept = readJson(file).filter(({ flood }) => !names.includes(flood.name))
  const order = (one: Measurement) => floods.findIndex(({ name }) => name === one.flood.name)
  const all = [...kept, ...measurements].sort((a, b) => order(a) - order(b))
  writeFileSync(file, `${JSON.stringify(all, undefined, 1)}\n`)
}

function readJson(file: string): readonly Measurement[] {
  if (!existsSync(file)) return []
  return JSON.parse(readFileSync(file, "utf8")) as readonly Measurement[]
}
