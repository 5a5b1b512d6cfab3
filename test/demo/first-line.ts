import type { ChildProcess } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"

interface FirstLineOptions {
  /** What the program is called in an error. */
  readonly name: string
  readonly stream: Readable | null
  readonly matches: (line: string) => boolean
  readonly signal: AbortSignal
  /** Sees every line, also those after the one that matches. */
  readonly onLine?: (line: string) => void
}

/**
 * Resolves with the first line of a program's stream that matches; the rest of the stream is read and dropped.
 * Rejects with the program's last line where it ends before that, and with the signal's reason.
 */
export function firstLine(
  child: ChildProcess,
  { name, stream, matches, signal, onLine }: FirstLineOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    if (stream === null) throw new Error(`${name} was started without this stream`)
    let last = "it printed nothing"
    createInterface({ input: stream }).on("line", (line) => {
      last = line
      onLine?.(line)
      if (matches(line)) resolve(line)
    })
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true })
    child.once("error", reject)
    child.once("close", (code) => reject(new Error(`${name} ended with exit code ${code ?? "none"}: ${last}`)))
  })
}
