import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Recorder } from "../ingest/server/recording.js"
import { batch, connections, hello, process } from "../testing/wire-messages.js"
import { main } from "./main.js"
import { startUs } from "../testing/time.js"

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-replay-"))
})

afterEach(() => rmSync(folder, { recursive: true }))

async function run(...args: readonly string[]) {
  let [out, notes] = ["", ""]
  const code = await main(["replay", ...args], {
    out: (text) => void (out += text),
    note: (text) => void (notes += `${text}\n`),
    colour: false,
    environment: {},
    nowUs: () => startUs,
  })
  return { code, out, notes }
}

function record(...messages: readonly Buffer[]): void {
  const recorder = new Recorder(folder, () => startUs)
  for (const message of messages) recorder.append(recorder, message)
  recorder.close()
}

const tunnel = [
  hello(),
  batch(1, {
    processes: [process(3, 42, { argv: ["ssh", "-N", "-R", "8080:localhost:8000", "far.example"] })],
    connections: connections([{ process: 3, remotePort: 22 }]),
  }),
]

describe("backflow replay", () => {
  it("prints the findings of a recording, the same each time", async () => {
    record(...tunnel)
    const first = await run(folder, "--json")
    expect(first).toMatchObject({ code: 0, notes: "replayed 1 batches of 1 streams\n" })
    expect(JSON.parse(first.out)).toMatchObject({ class: "tunnel_intent", process: { pid: 42 } })
    expect((await run(folder, "--json")).out).toBe(first.out)
    expect((await run(folder)).out).toContain("-R 8080:localhost:8000")
  })

  it("says what it did not take", async () => {
    record(...tunnel, batch(2, { connections: connections([{ process: 99 }]) }))
    expect(await run(folder)).toMatchObject({ code: 0, notes: expect.stringContaining("rejected 1 times: unknown_process") as string }) // prettier-ignore
  })

  it("refuses a folder without a recording, and one that is not there", async () => {
    expect(await run(folder)).toMatchObject({ code: 2, notes: expect.stringContaining("holds no recording") as string })
    expect(await run(join(folder, "none"))).toMatchObject({
      code: 2,
      notes: expect.stringContaining("ENOENT") as string,
    })
    expect(await run()).toMatchObject({ code: 2 })
  })
})
