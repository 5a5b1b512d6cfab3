import { mkdtempSync, rmSync, truncateSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Output } from "../domain/output.js"
import { Recorder, recordedMessages, recordedStreams } from "../ingest/server/recording.js"
import { Rejections } from "../ingest/decode/rejections.js"
import { batch, connections, flags, hello, process } from "../testing/wire-messages.js"
import { replay } from "./replay.js"
import { stagesFor } from "../pipeline/stages.js"
import { startUs } from "../testing/time.js"
import { pipelineOptions } from "../testing/trackers.js"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

function record(...streams: readonly (readonly Buffer[])[]): void {
  const recorder = new Recorder(folder, () => startUs)
  for (const messages of streams) for (const message of messages) recorder.append(messages, message)
  recorder.close()
}

const tunnel = { ref: 3, pid: 42, changes: { argv: ["ssh", "-N", "-R", "8080:localhost:8000", "far.example"] } }

/** Ten minutes of an `ssh -R` in use, with a heartbeat every 200 ms. */
function session(): Buffer[] {
  const ssh = flags.moved | (0b0111 << 4)
  const messages = [hello(), batch(1, { processes: [process(tunnel.ref, tunnel.pid, tunnel.changes)], connections: connections([{ process: 3, remotePort: 22 }]) })] // prettier-ignore
  for (let seq = 2; seq < 3_200; seq++) {
    const records = connections([{ process: 3, remotePort: 22, flags: ssh, bytesSent: seq * 100, bytesReceived: seq }])
    messages.push(batch(seq, seq % 10 === 0 ? { connections: records } : {}))
  }
  return messages
}

function play(): Output[] {
  const stages = stagesFor({
    detectors: { longLivedSsh: { afterSeconds: 600 } },
    policy: { approved: [], suppressed: [], denied: [] },
  })
  return [...replay(recordedStreams(folder), pipelineOptions({ stages }), new Rejections().count)]
}

describe("recordings", () => {
  it("keep each message of each stream", () => {
    const [first, second] = [
      [hello(), batch(1)],
      [hello({ instance: "8" }), batch(1), batch(2)],
    ]
    record(first, second)
    const read = recordedStreams(folder).map((path) => [...recordedMessages(path)].map((bytes) => Buffer.from(bytes)))
    expect(read).toEqual([first, second])
  })

  it("end before a message that a kill cut off", () => {
    record([hello(), batch(1), batch(2)])
    const [path = ""] = recordedStreams(folder)
    truncateSync(path, statSync(path).size - 1)
    expect([...recordedMessages(path)]).toHaveLength(2)
  })

  it("hold messages longer than one byte of length tells", () => {
    const large = batch(1, { processes: [process(1, 1, { argv: ["x".repeat(100_000)] })] })
    record([hello(), large])
    expect(
      recordedStreams(folder)
        .flatMap((path) => [...recordedMessages(path)])
        .at(-1)?.length,
    ).toBe(large.length)
  })
})

describe("replay", () => {
  it("gives the same findings, byte for byte, every time", () => {
    record(session())
    const [once, again] = [play(), play()]
    expect(JSON.stringify(again)).toBe(JSON.stringify(once))
    expect(once).toHaveLength(3_199)
    expect(once.flatMap(({ findings }) => findings).length).toBeGreaterThan(0)
  })

  it("applies a batch that is in two recordings once", () => {
    const messages = [hello(), batch(1, { connections: connections([{}]) }), batch(2)]
    record(messages, [...messages, batch(3)])
    expect(play().map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  it("passes over what follows an unreadable message", () => {
    record([hello(), batch(1), Buffer.from("rubbish"), batch(2)], [Buffer.from("no hello"), batch(9)])
    expect(play().map(({ seq }) => seq)).toEqual([1])
  })
})
