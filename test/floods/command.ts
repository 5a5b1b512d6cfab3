import { readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { floods, shortFloods } from "./catalogue.js"
import { measureFlood } from "./measure.js"
import type { Measurement } from "./measure.js"
import { missingForFloods } from "./requirements.js"
import { goalsText, table } from "./table.js"

const usage = `Usage: node test/floods/run.mjs [--only NAME]... [--short] [--json FILE]

Runs floods against this checkout's product, one after the other, and prints a table. Needs root and a build.

  --only NAME   only this flood; may be given more than once: ${floods.map(({ name }) => name).join(", ")}
  --short       those of npm test, as short as there, without the canary a minute after
  --json FILE   also the figures, as JSON; those of floods that did not run now are kept
`

/** Returns the exit code. */
export async function command(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      short: { type: "boolean" },
      json: { type: "string" },
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
  const measurements: Measurement[] = []
  for (const flood of chosen) {
    console.log(`${flood.name}: ${flood.title}`)
    const progress = (line: string) => console.log(line)
    measurements.push(await measureFlood(flood, { isFull: values.short !== true, progress }))
    if (values.json !== undefined) writeJson(values.json, measurements)
  }
  console.log(`\n${table(measurements)}\n\n${goalsText}`)
  return 0
}

/** Infinity, where no finding came, is null in it. */
function writeJson(file: string, measurements: readonly Measurement[]): void {
  const names = measurements.map(({ flood }) => flood.name)
  const kept = before(file).filter(({ flood }) => !names.includes(flood.name))
  writeFileSync(file, `${JSON.stringify([...kept, ...measurements], undefined, 1)}\n`)
}

function before(file: string): readonly Measurement[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as readonly Measurement[]
  } catch {
    return []
  }
}
