import { describe, expect, it } from "vitest"
import { expandMacros } from "./macros.js"

// 2026-11-23T05:00:00Z to 06:00:00Z. The right-hand sides are what version 4.20 of the plugin sends.
const range = { from: 1_795_410_000, to: 1_795_413_600, intervalSeconds: 30.9 }

describe("macros of the data source", () => {
  it.each([
    ["$__timeFilter(at)", "at >= toDateTime(1795410000) AND at <= toDateTime(1795413600)"],
    ["$__timeInterval(at)", "toStartOfInterval(toDateTime(at), INTERVAL 30 second)"],
    ["$__fromTime", "toDateTime(1795410000)"],
    ["$__toTime", "toDateTime(1795413600)"],
    ["x / $__interval_s", "x / 30"],
    ["at >= $__fromTime - INTERVAL 10 MINUTE", "at >= toDateTime(1795410000) - INTERVAL 10 MINUTE"],
  ])("%s", (sql, expected) => {
    expect(expandMacros(sql, range)).toBe(expected)
  })

  it("make no interval shorter than a second", () => {
    expect(expandMacros("$__timeInterval(at)", { ...range, intervalSeconds: 0.2 })).toContain("INTERVAL 1 second")
  })

  it.each(["$__timeFilterMs(at)", "$__columns(a, b)", "$__interval"])("%s is not known", (sql) => {
    expect(() => expandMacros(sql, range)).toThrow("no macro")
  })
})
