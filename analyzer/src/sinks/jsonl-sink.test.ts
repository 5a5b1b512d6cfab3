import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { JsonlSink } from "./jsonl-sink.js"
import { anOutput } from "../testing/outputs.js"
import { aFinding } from "../testing/findings.js"

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-jsonl-"))
  path = join(folder, "findings.jsonl")
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const lines = () =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { version: number; summary: string })

it("appends every version as a line, before the write resolves", async () => {
  const sink = await JsonlSink.toFile(path)
  await sink.write([anOutput(1, { findings: [aFinding({ summary: "a\nb" })] }), anOutput(2)])
  expect(lines()).toMatchObject([{ version: 1, summary: "a\nb" }])
  await sink.write([anOutput(3, { findings: [aFinding({ version: 2 })] })])
  expect(lines().map(({ version }) => version)).toEqual([1, 2])
  await sink.close()
})

it("does not repeat a version when a write is repeated", async () => {
  const sink = await JsonlSink.toFile(path)
  const outputs = [anOutput(1, { findings: [aFinding()] })]
  await sink.write(outputs)
  await sink.write(outputs)
  await sink.close()
  expect(lines()).toHaveLength(1)
})

it("goes on after what another run has written", async () => {
  for (const version of [1, 2]) {
    const sink = await JsonlSink.toFile(path)
    await sink.write([anOutput(version, { findings: [aFinding({ version })] })])
    await sink.close()
  }
  expect(lines().map(({ version }) => version)).toEqual([1, 2])
})
