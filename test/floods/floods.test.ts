import { describe, expect, it } from "vitest"
import { isFound } from "./canaries.js"
import { shortFloods } from "./catalogue.js"
import { measureFlood } from "./measure.js"
import { missingForFloods } from "./requirements.js"

const missing = missingForFloods()
if (missing !== undefined) console.log(`floods: skipped, ${missing}`)

describe.skipIf(missing !== undefined)("a canary is found, as what it is and in its own process,", () => {
  it.each(shortFloods)(
    "$name: during and right after",
    async (flood) => {
      const lines: string[] = []
      const { canaries, made, liveness } = await measureFlood(flood, { isFull: false, progress: (l) => lines.push(l) })
      expect(made).toBeGreaterThan(0)
      const expected = ["before", "during", "after"].flatMap((when) => flood.canaries.map((kind) => `${kind} ${when}`))
      const found = canaries.filter(isFound).map(({ kind, when }) => `${kind} ${when}`)
      // Those of one moment run side by side.
      expect(found.sort(), lines.join("\n")).toEqual(expected.sort())
      expect(liveness.timeouts, "/livez without an answer in 5 s").toBe(0)
    },
    120_000,
  )
})
