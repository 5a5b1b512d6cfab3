import { pino } from "pino"
import type { DestinationStream, Level, Logger } from "pino"
import type { Writable } from "node:stream"
import { timeOfDay } from "../text/rfc3339.js"
import { printable } from "../text/terminal-text.js"

export type LogLevel = Extract<Level, "debug" | "info" | "warn" | "error">

export interface LogOptions {
  readonly level: LogLevel
  readonly stream: Writable
  /** One line of text for a person instead of JSON lines. */
  readonly words: boolean
}

/** Never shown, wherever they stand in what is logged. */
const secrets = ["token", "password", "authorization", "cookie", "set-cookie"].map((name) => `["${name}"]`)

/** The log: JSON lines, or lines of text where a person reads along. */
export function createLogger({ level, stream, words }: LogOptions): Logger {
  const destination: DestinationStream = { write: (line) => void stream.write(words ? inWords(line) : line) }
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secrets.flatMap((name) => [name, `*${name}`, `*.*${name}`]), censor: "(hidden)" },
    },
    destination,
  )
}

function inWords(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  )
  const parts = [timeOfDay(String(time)), String(level).padEnd(5), typeof msg === "string" ? msg : "", ...rest]
  return `${printable(parts.join(" "))}\n`
}
