import { expect, it } from "vitest"
import { bytesText, delayText, compactDuration, durationText, plural } from "./amounts.js"

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [12_345, "12.3 kB"],
  [999_949, "999.9 kB"],
  [999_950, "1.0 MB"],
  [2_500_000, "2.5 MB"],
  [9e15, "9.0 PB"],
  [9e18, "9000.0 PB"],
])("bytesText shows %d as %s", (bytes, expected) => {
  expect(bytesText(bytes)).toBe(expected)
})

it.each([
  [0, "0 turns"],
  [1, "1 turn"],
  [2, "2 turns"],
])("plural shows %d as %s", (count, expected) => {
  expect(plural(count, "turn")).toBe(expected)
})

it.each([
  [0, "0.00 ms"],
  [50_000, "0.05 ms"],
  [9_990_000, "9.99 ms"],
  [10_000_000, "10 ms"],
  [1_400_000_000, "1400 ms"],
])("delayText shows %d nanoseconds as %s", (ns, expected) => {
  expect(delayText(ns)).toBe(expected)
})

it.each([
  [-5, "0 seconds"],
  [999_999, "0 seconds"],
  [1_000_000, "1 second"],
  [59_999_999, "59 seconds"],
  [3_599_000_000, "59 minutes"],
  [3_600_000_000, "1 hour"],
  [172_800_000_000, "2 days"],
])("durationText shows %d microseconds as %s", (us, expected) => {
  expect(durationText(us)).toBe(expected)
})

it.each([
  [0, "0 s"],
  [-5, "0 s"],
  [41_400_000, "41 s"],
  [3_600_000_000, "1 h"],
  [7_500_000_000, "2 h 5 min"],
  [86_405_000_000, "1 d"],
  [93_784_000_000, "1 d 2 h"],
])("compactDuration shows %d microseconds as %s", (us, expected) => {
  expect(compactDuration(us)).toBe(expected)
})
