import { describe, expect, it } from "vitest"
import { formatTime, millisecondsOf, parseTime, timeOfDay, toMilliseconds } from "./rfc3339.js"

describe("formatTime", () => {
  it.each([
    [0, "1970-01-01T00:00:00.000000000Z"],
    [1_795_413_600_000_001, "2026-11-23T06:00:00.000001000Z"],
    [1_795_413_600_999_999, "2026-11-23T06:00:00.999999000Z"],
    [-1, "1970-01-01T00:00:00.000000000Z"],
    [Number.NaN, "1970-01-01T00:00:00.000000000Z"],
    [Number.POSITIVE_INFINITY, "1970-01-01T00:00:00.000000000Z"],
    [9e18, "9999-12-31T23:59:59.000000000Z"],
  ])("writes %d as %s", (us, expected) => {
    expect(formatTime(us)).toBe(expected)
  })
})

describe("parseTime", () => {
  it.each([
    ["2026-11-23T06:00:00.000001000Z", 1_795_413_600_000_001],
    ["2026-11-23T06:00Z", 1_795_413_600_000_000],
    ["2026-11-23 07:00:00+01:00", 1_795_413_600_000_000],
    ["2026-11-23T06:00:00.5", 1_795_413_600_500_000],
    ["2026-11-23", undefined],
    ["2026-02-40T00:00Z", undefined],
    ["yesterday", undefined],
  ])("reads %s as %s", (text, expected) => {
    expect(parseTime(text)).toBe(expected)
  })
})

describe("parts of a written time", () => {
  const time = formatTime(1_795_413_600_123_999)

  it("end with milliseconds", () => {
    expect(timeOfDay(time)).toBe("06:00:00.123")
    expect(toMilliseconds(time)).toBe("2026-11-23T06:00:00.123Z")
    expect(millisecondsOf(time)).toBe(1_795_413_600_123)
  })
})
