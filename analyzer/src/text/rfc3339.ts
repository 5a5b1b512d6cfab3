import type { Microseconds } from "../domain/identity.js"

/** The last microsecond that four-digit years can name: 9999-12-31T23:59:59.999999Z. */
const lastUs = 253_402_300_799_999_999

/** RFC 3339 in UTC with nine fraction digits. What lies outside the years 1970 to 9999 becomes the nearest moment inside. */
export function formatTime(us: Microseconds): string {
  // The last microseconds of the year 9999 are beyond 2^53 and rounded, hence the bound at a whole second.
  const within = Math.min(Math.max(Number.isFinite(us) ? Math.trunc(us) : 0, 0), lastUs - 999_999)
  const seconds = Math.floor(within / 1_000_000)
  const fraction = String(within - seconds * 1_000_000).padStart(6, "0")
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}.${fraction}000Z`
}

/** "06:00:00.123" in UTC, of what `formatTime` wrote. */
export function timeOfDay(time: string): string {
  return time.slice(11, 23)
}

/** "2026-11-23T06:00:00.123Z", of what `formatTime` wrote. */
export function toMilliseconds(time: string): string {
  return `${time.slice(0, 23)}Z`
}

/** Milliseconds since the epoch of what `formatTime` wrote; digits beyond are dropped. */
export function millisecondsOf(time: string): number {
  return Math.floor((parseTime(time) ?? Number.NaN) / 1_000)
}

/** Microseconds of an RFC 3339 date-time; undefined when it is not one. Digits beyond microseconds are dropped. */
export function parseTime(text: string): Microseconds | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/i.exec(text)
  if (match === null) return undefined
  const [, date = "", time = "", fraction = "", zone = "Z"] = match
  const milliseconds = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  return Number.isNaN(milliseconds) ? undefined : milliseconds * 1_000 + Number(fraction.padEnd(6, "0").slice(0, 6))
}
