/** Amounts as text for people: SI units, few digits. */
import type { Microseconds } from "../domain/identity.js"

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const

/** "59 B", "12.3 kB": powers of ten, as network people count; one digit from a kilobyte on. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  // From 999.95 on one digit shows 1000.0.
  while (value >= (unit === 0 ? 1_000 : 999.95) && unit < byteUnits.length - 1)
    [value, unit] = [value / 1_000, unit + 1]
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${byteUnits[unit] ?? ""}`
}

/** "0.05 ms", "41 ms": of nanoseconds; two digits below ten milliseconds. */
export function delayText(ns: number): string {
  return `${(ns / 1e6).toFixed(ns < 1e7 ? 2 : 0)} ms`
}

/** "1 turn", "2 turns". */
export function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`
}

const spans = [
  { us: 86_400e6, word: "day", symbol: "d" },
  { us: 3_600e6, word: "hour", symbol: "h" },
  { us: 60e6, word: "minute", symbol: "min" },
  { us: 1e6, word: "second", symbol: "s" },
] as const

/** "12 minutes": in the largest unit that is at least one, rounded down. */
export function durationText(us: Microseconds): string {
  const span = spans.find((one) => us >= one.us)
  return span === undefined ? "0 seconds" : plural(Math.floor(us / span.us), span.word)
}

/** "2 h 5 min", "41 s": the two largest units. */
export function compactDuration(us: Microseconds): string {
  let rest = Math.max(0, Math.round(us / 1e6)) * 1e6
  const parts = spans.map((span) => {
    const count = Math.floor(rest / span.us)
    rest -= count * span.us
    return { count, text: `${count} ${span.symbol}` }
  })
  const first = parts.findIndex(({ count }) => count > 0)
  if (first === -1) return "0 s"
  const shown = parts.slice(first, first + 2).filter(({ count }) => count > 0)
  return shown.map(({ text }) => text).join(" ")
}
