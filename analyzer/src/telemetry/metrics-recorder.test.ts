import { afterEach, describe, expect, it } from "vitest"
import { MetricsRecorder } from "./metrics-recorder.js"
import type { RecorderPorts } from "./metrics-recorder.js"
import { noLog } from "../testing/log.js"
import { startMs } from "../testing/time.js"

const sample = { atMs: startMs, source: "a", name: "backflow_hosts", labels: {}, value: 1 }
let recorder: MetricsRecorder
let skipped: number

afterEach(() => recorder.stop(0))

function recording(insert: RecorderPorts["insert"]): void {
  skipped = 0
  recorder = new MetricsRecorder(
    {
      metrics: { samples: () => Promise.resolve([sample]), countSkippedSamples: () => (skipped += 1) },
      insert,
      log: noLog,
    },
    3_600_000,
  )
}

describe("the recorder of metrics", () => {
  it("writes each look once, by a token of its own", async () => {
    const written: unknown[] = []
    recording((samples, token) => {
      written.push([samples, token])
      return Promise.resolve()
    })
    recorder.record()
    await recorder.stop(1_000)
    expect(written).toEqual([[[sample], `metrics:a:${startMs}`]])
    expect(skipped).toBe(0)
  })

  it("skips and counts what the store refuses", async () => {
    recording(() => Promise.reject(new Error("no store")))
    recorder.record()
    await recorder.stop(1_000)
    expect(skipped).toBe(1)
  })

  it("never waits for a store that does not respond, at the stop neither", async () => {
    recording(() => new Promise(() => undefined))
    recorder.record()
    recorder.record()
    recorder.record()
    expect(skipped).toBe(2)
    await recorder.stop(10)
    expect(skipped).toBe(2)
  })
})
