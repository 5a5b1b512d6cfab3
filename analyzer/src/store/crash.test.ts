import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, it } from "vitest"
import { connect } from "./client/connect.js"
import { rowsPerBatch } from "../testing/store-writer.js"

// The compiled program: what is killed must be a process of its own.
const program = fileURLToPath(new URL("../../dist/testing/store-writer.js", import.meta.url))
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-crash-"))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Writes from batch `first` on until `acks` writes are acknowledged, and kills the writer in its next write. */
async function writeUntilKilled(first: number, group: number, acks: number): Promise<number> {
  const child = spawn(process.execPath, [program, folder, String(first), String(group), "100000"], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  let acknowledged = 0
  let count = 0
  createInterface({ input: child.stdout }).on("line", (line) => {
    acknowledged = Number(line)
    count += 1
    if (count === acks) child.kill("SIGKILL")
  })
  await once(child, "close")
  expect(child.signalCode).toBe("SIGKILL")
  return acknowledged
}

async function writeAll(first: number, group: number, last: number): Promise<void> {
  const child = spawn(process.execPath, [program, folder, String(first), String(group), String(last)], {
    stdio: "inherit",
  })
  const [code] = (await once(child, "close")) as [number]
  expect(code).toBe(0)
}

it("holds every record exactly once after kills in mid-insert and batches sent again in other groups", async () => {
  let durable = 0
  for (const [group, acks] of [
    [3, 4],
    [1, 7],
    [7, 2],
    [2, 5],
  ] as const) {
    // A collector whose acknowledgements were lost sends up to five batches again that were durable.
    durable = await writeUntilKilled(Math.max(1, durable - 4), group, acks)
  }
  const last = durable + 20
  await writeAll(Math.max(1, durable - 4), 5, last)

  const target = { kind: "embedded", folder } as const
  const { reader, writer } = await connect(target, "backflow", { memoryBytes: 1_000_000_000, querySeconds: 30 })
  const [records] = await reader.rows(
    "SELECT toUInt32(count()) AS n, toUInt32(uniqExact(cookie)) AS connections FROM connections",
  )
  const [view] = await reader.rows("SELECT toUInt32(count()) AS n FROM connections_current")
  await Promise.all([reader.close(), writer.close()])
  expect(records).toEqual({ n: last * rowsPerBatch, connections: last * rowsPerBatch })
  expect(view).toEqual({ n: last * rowsPerBatch })
}, 60_000)
