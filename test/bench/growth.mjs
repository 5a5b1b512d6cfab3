/**
 * Time of the analyzer per record, from few records on one thing to 50,000: no curve may bend upward. CPU time of the whole
 * way of one host (tracker, detectors, findings, incidents, page), in batches of 1,000. Prints a table; --json FILE and
 * --svg FILE write the figures and the picture. Run after a build: node test/bench/growth.mjs [--json FILE] [--svg FILE]
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { drawing } from "./growth-drawing.mjs"
import { aLine, edge, loads } from "./growth-loads.mjs"

const { values } = parseArgs({ options: { json: { type: "string" }, svg: { type: "string" } } })
const sizes = [10, 100, 1_000, 5_000, 10_000, 20_000, 50_000]
const batchSize = 1_000
/** The best of so many runs: what else the machine does only adds. */
const runs = 3

const numbers = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)

function cpuUs(work) {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Microseconds per record when so many are known already: those of the last records up to that size. */
function fill(recordsOf) {
  const line = aLine()
  const points = []
  let known = 0
  let second = 1
  for (const size of sizes) {
    let [spent, records] = [0, 0]
    while (known < size) {
      const to = Math.min(size, known + batchSize)
      const batch = recordsOf(numbers(known, to), second)
      const us = cpuUs(() => line.apply(second, batch))
      // Only the newest tenth of what is known tells of that size.
      if (to > size * 0.8) [spent, records] = [spent + us, records + to - known]
      known = to
      second += 0.2
    }
    points.push({ size, us: spent / Math.max(1, records) })
  }
  return points
}

/** Microseconds of a batch of one record when so many are known. */
function single() {
  return sizes.map((size) => {
    const line = aLine()
    for (let known = 0; known < size; known += batchSize)
      line.apply(1 + known / 5_000, { edges: numbers(known, Math.min(size, known + batchSize)).map((n) => edge(n, 1)) })
    let second = 100
    const count = 200
    const batches = numbers(0, count).map((i) => ({
      edges: [edge(Math.max(0, size - 1 - (i % 100)), 100 + i * 0.2, 2 + i)],
    }))
    const us = cpuUs(() => {
      for (const batch of batches) line.apply((second += 0.2), batch)
    })
    return { size, us: us / count }
  })
}

const best = (measure) => {
  const all = Array.from({ length: runs }, measure)
  return sizes.map((size, i) => ({ size, us: Math.min(...all.map((points) => points[i].us)) }))
}

fill(loads["edges of one group"]) // What the engine compiles is not measured.
const curves = [
  ...Object.entries(loads).map(([name, recordsOf]) => ({ name, points: best(() => fill(recordsOf)) })),
  { name: "one more use of an edge, alone in its batch", points: best(single) },
]
const ratioOf = ({ points }) => points.at(-1).us / points.find(({ size }) => size === 1_000).us

const width = Math.max(...curves.map(({ name }) => name.length))
console.log(`${"us per record at".padEnd(width)} ${sizes.map((n) => String(n).padStart(8)).join("")}   50000 : 1000`)
for (const curve of curves)
  console.log(
    `${curve.name.padEnd(width)} ${curve.points.map(({ us }) => us.toFixed(1).padStart(8)).join("")}   ${ratioOf(curve).toFixed(2)}`,
  )
if (values.json !== undefined)
  writeFileSync(
    values.json,
    `${JSON.stringify({ batchSize, curves: curves.map((c) => ({ ...c, ratio: ratioOf(c) })) }, null, 2)}\n`,
  )
if (values.svg !== undefined) writeFileSync(values.svg, drawing(curves))
