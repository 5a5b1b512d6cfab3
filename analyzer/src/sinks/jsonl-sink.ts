import type { FileHandle } from "node:fs/promises"
import type { Writable } from "node:stream"
import { openForAppend } from "../config/trusted-paths.js"
import type { Output } from "../domain/output.js"
import { findingJson } from "../documents/finding-json.js"
import type { Sink } from "./sink.js"

/** Versions remembered for not writing one twice when a write is repeated. */
const rememberedVersions = 10_000

/** Appends every finding version as one JSON line, at once. */
export class JsonlSink implements Sink {
  readonly name = "findings-jsonl"
  readonly #append: (text: string) => Promise<void>
  readonly #close: () => Promise<void>
  readonly #written = new Set<string>()

  private constructor(append: (text: string) => Promise<void>, close: () => Promise<void>) {
    this.#append = append
    this.#close = close
  }

  /** To the end of a file, which is made when missing. Rejects when it cannot be opened or others may have put it there. */
  static async toFile(path: string): Promise<JsonlSink> {
    const file: FileHandle = await openForAppend(path)
    return new JsonlSink(
      (text) => file.appendFile(text),
      () => file.close(),
    )
  }

  /** To a stream that is not closed, such as standard output. */
  static toStream(stream: Writable): JsonlSink {
    return new JsonlSink(
      (text) =>
        new Promise((resolve, reject) => {
          stream.write(text, (error) => (error ? reject(error) : resolve()))
        }),
      () => Promise.resolve(),
    )
  }

  async write(outputs: readonly Output[]): Promise<void> {
    const fresh = outputs.flatMap(({ findings }) => findings).filter((finding) => !this.#written.has(keyOf(finding)))
    if (fresh.length === 0) return
    await this.#append(fresh.map((finding) => `${JSON.stringify(findingJson(finding))}\n`).join(""))
    if (this.#written.size > rememberedVersions) this.#written.clear()
    for (const finding of fresh) this.#written.add(keyOf(finding))
  }

  close(): Promise<void> {
    return this.#close()
  }
}

function keyOf({ id, version }: { readonly id: string; readonly version: number }): string {
  return `${id} ${version}`
}
