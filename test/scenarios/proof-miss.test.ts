import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { backflow } from "../lab/executables.js"
import { missingForLab } from "../lab/requirements.js"
import { Watch } from "../lab/watch.js"

const missing = missingForLab()
/** A request is given up after 30 s; the first proof comes within 5 s of the first batch, and is given up 3 s after its relay. */
const limitMs = 40_000
const notProven = 15

describe.skipIf(missing !== undefined)("a host whose relays run, and are not found", () => {
  let folder: string
  let watch: Watch

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "backflow-proof-miss-"))
    const config = join(folder, "backflow.yaml")
    // Loopback counts as outside here: a relay into it is none, whoever opens it.
    writeFileSync(config, "outside: [127.0.0.0/8]\n")
    watch = await Watch.start(folder, ["--config", config, "--page", "off"])
  }, 90_000)

  afterAll(async () => {
    await watch.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  it(
    "is blind by itself soon after the start, and says what was not found",
    async () => {
      const blind = await watch.find(0, ({ class: name }) => name === "host_blind", limitMs)
      expect(blind?.finding).toMatchObject({ severity: "high", status: "open" })
      expect(blind?.finding.summary).toContain("it was not found within 2 s")
      expect(watch.arrivals.filter(({ finding }) => finding.status === "proof")).toEqual([])
    },
    limitMs,
  )

  it(
    "is told so who asks",
    async () => {
      const child = spawn(process.execPath, [backflow, "prove", "--state", join(folder, "state")])
      let text = ""
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => (text += chunk.toString()))
      const code = await new Promise((resolve) => child.once("close", resolve))
      expect(text).toMatch(/^host \S+: BLIND: it was not found within 2 s\n$/)
      expect(code).toBe(notProven)
    },
    limitMs,
  )
})
