import { Writable } from "node:stream"
import type { Config } from "../config/load.js"
import { defaultTrackerLimits } from "../connections/limits.js"
import { Networks } from "../domain/networks.js"
import { AppError, messageOf } from "../errors.js"
import { Rejections } from "../ingest/decode/rejections.js"
import { recordedStreams } from "../ingest/server/recording.js"
import { stagesFor } from "../pipeline/stages.js"
import { replay } from "../service/replay.js"
import { ConsoleSink } from "../sinks/console-sink.js"
import { JsonlSink } from "../sinks/jsonl-sink.js"
import type { Arguments } from "./cli/arguments.js"
import { usage } from "./cli/arguments.js"
import { exitCodes } from "./cli/exit-codes.js"
import type { Terminal } from "./cli/terminal.js"

/** `backflow replay DIR`: what was recorded, through the same pipeline; the same recording gives the same findings. */
export async function replayCommand(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const [folder] = args.operands
  if (folder === undefined) throw usage(args.command, "backflow replay takes the folder that --record wrote to.")
  const streams = streamsOf(folder)
  const out = new Writable({
    write: (text: Buffer, _, done) => {
      terminal.out(text.toString())
      done()
    },
  })
  const sink = args.switches.has("json") ? JsonlSink.toStream(out) : new ConsoleSink(out, terminal.colour)
  const rejections = new Rejections()
  const options = {
    networks: new Networks(config.networks),
    stages: stagesFor(config),
    trackerLimits: defaultTrackerLimits,
  }
  let batches = 0
  for (const output of replay(streams, options, rejections.count)) {
    batches += 1
    await sink.write([output])
  }
  terminal.note(`replayed ${batches} batches of ${streams.length} streams`)
  for (const [reason, count] of rejections.entries()) if (count > 0) terminal.note(`rejected ${count} times: ${reason}`)
  return exitCodes.ok.code
}

function streamsOf(folder: string): readonly string[] {
  const remedy = "Name the folder that was given to --record."
  try {
    const streams = recordedStreams(folder)
    if (streams.length > 0) return streams
  } catch (thrown) {
    throw new AppError("usage", `${folder} cannot be read: ${messageOf(thrown)}.`, remedy, { cause: thrown })
  }
  throw new AppError("usage", `${folder} holds no recording.`, remedy)
}
