import type { Microseconds } from "../../domain/identity.js"
import { parseTime } from "../../text/rfc3339.js"

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400, w: 604_800 }

/** Reads "90s", "15min", "2h", "3d", "1w", or an RFC 3339 moment; undefined when it is neither. */
export function parseSince(text: string, nowUs: Microseconds): Microseconds | undefined {
  const match = /^(\d{1,6})(s|m|min|h|d|w)$/.exec(text)
  if (match === null) return /^\d{4}-\d\d-\d\d$/.test(text) ? parseTime(`${text}T00:00Z`) : parseTime(text)
  return nowUs - Number(match[1]) * (seconds[match[2] ?? "s"] ?? 1) * 1_000_000
}
