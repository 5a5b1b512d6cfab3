import { UntrustedFile } from "../config/trusted-paths.js"
import { AppError, messageOf } from "../errors.js"
import { ConsoleSink } from "../sinks/console-sink.js"
import { JsonlSink } from "../sinks/jsonl-sink.js"
import type { Sink } from "../sinks/sink.js"

export interface FindingsOutput {
  /** File that gets each finding version as a JSON line, "-" for standard output; none without it. */
  readonly jsonl: string | undefined
  /** Standard output shows colours. */
  readonly colour: boolean
}

/** Findings for people and programs of this terminal. Rejects with AppError "config" for a file that cannot be written. */
export async function findingSinks({ jsonl, colour }: FindingsOutput): Promise<readonly Sink[]> {
  if (jsonl === undefined) return [new ConsoleSink(process.stdout, colour)]
  if (jsonl === "-") return [JsonlSink.toStream(process.stdout), new ConsoleSink(process.stderr, false)]
  try {
    return [await JsonlSink.toFile(jsonl), new ConsoleSink(process.stdout, colour)]
  } catch (thrown) {
    throw new AppError(
      "config",
      `--findings-jsonl cannot be written: ${messageOf(thrown)}.`,
      thrown instanceof UntrustedFile ? thrown.remedy : "Name a file in a folder that exists.",
      { cause: thrown },
    )
  }
}
