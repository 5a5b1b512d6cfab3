import type { Log } from "../telemetry/log.js"

const ignore = () => undefined

export const noLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** A log that keeps its messages in `lines`, as "warn text {fields}"; none of level debug. */
export function aLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const keep = (level: string) => (fields: object, text: string) =>
    void lines.push(`${level} ${text} ${JSON.stringify(fields)}`)
  return { lines, debug: ignore, info: keep("info"), warn: keep("warn"), error: keep("error") }
}
