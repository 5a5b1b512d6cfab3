import type { Microseconds } from "../../domain/identity.js"

/** What a command sees of the world outside. */
export interface Terminal {
  /** The command's result: standard output. */
  out(text: string): void
  /** For a person, beside the result: one line to standard error. */
  note(text: string): void
  /** Standard output is a terminal that shows colours. */
  readonly colour: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly nowUs: () => Microseconds
}

/** The terminal that this process was started from. Honours NO_COLOR (no-color.org). */
export function processTerminal(): Terminal {
  return {
    out: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(`${text}\n`),
    colour: process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "",
    environment: process.env,
    nowUs: () => Date.now() * 1_000,
  }
}
