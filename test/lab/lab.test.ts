import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Lab } from "./case.js"
import { representative } from "./catalogue.js"
import { startLab } from "./fixtures.js"
import { makeNetwork } from "./network.js"
import type { Outcome } from "./outcome.js"
import { missingPrograms, play } from "./play.js"
import { markdown } from "./report.js"
import { missingForLab } from "./requirements.js"
import { missingForWan, usualWan } from "./wan.js"
import { Watch } from "./watch.js"
import type { StoredConnection } from "./connections.js"

const outcomes: Outcome[] = []
let removeNetwork: (() => void) | undefined
let watch: Watch
let started: Watch | undefined
let lab: Lab

const missing = missingForLab()
if (missing !== undefined) console.log(`lab: skipped, ${missing}`)
const wan = missingForWan() === undefined ? usualWan : undefined
if (wan === undefined) console.log(`lab: played without delay, ${missingForWan() ?? ""}`)

/** Those whose programs are here, as vitest's table; the others are named. */
function cases(kind: "malicious" | "benign") {
  const entries = representative(kind).map((entry) => ({ ...entry, name: entry.case.name }))
  for (const { name, case: one } of entries)
    if (missingPrograms(one).length > 0) console.log(`lab: ${name} skipped, ${missingPrograms(one).join(", ")} missing`)
  return entries.filter((entry) => missingPrograms(entry.case).length === 0)
}

describe.skipIf(missing !== undefined)("lab", () => {
  beforeAll(async () => {
    const network = makeNetwork(wan)
    removeNetwork = network.remove
    lab = await startLab(network)
    watch = started = await Watch.start(network.folder)
  }, 60_000)

  afterAll(async () => {
    try {
      if (started) expect(await started.stop()).toBe(0)
    } finally {
      removeNetwork?.()
    }
  }, 60_000)

  describe("finds", () => {
    it.each(cases("malicious"))(
      "$family: $name",
      async ({ family, case: one }) => {
        const outcome = await play(family, one, { lab, watch, checksBytes: true })
        outcomes.push(outcome)
        expect(outcome).not.toHaveProperty("failed")
        expect(outcome.right, `the first alert: ${JSON.stringify(outcome.alert)}`).toBeDefined()
        expect(outcome.isProcessRight, `it names ${outcome.right?.exe ?? ""}`).toBe(true)
      },
      60_000,
    )
  })

  describe("wakes nobody for", () => {
    it.each(cases("benign"))(
      "$family: $name",
      async ({ family, case: one }) => {
        const outcome = await play(family, one, { lab, watch, checksBytes: false })
        outcomes.push(outcome)
        expect(outcome).not.toHaveProperty("failed")
        expect(outcome.alert).toBeUndefined()
      },
      60_000,
    )
  })

  describe("as a whole", () => {
    let connections: readonly StoredConnection[]
    beforeAll(() => {
      connections = watch.connections()
      console.log(`\n${markdown({ wan, outcomes, ablations: [] })}\n`)
    }, 30_000)

    it("counts every byte of the outside connections, at both ends alike", () => {
      const compared = outcomes.filter(({ isExact }) => isExact !== undefined)
      expect(compared.length).toBeGreaterThan(0)
      expect(compared.filter(({ isExact }) => isExact !== true).map(({ name }) => name)).toEqual([])
    })

    it("has every connection in the store once", () => {
      expect(new Set(connections.map((c) => c.cookie)).size).toBe(connections.length)
    })
  })
})
