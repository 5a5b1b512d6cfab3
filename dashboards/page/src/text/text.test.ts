import { describe, expect, it } from "vitest"
import { bytes, clock, count, plural, secondsBetween, span } from "./amounts.js"
import { endpoint } from "./endpoint.js"
import { commandLine, printable } from "./printable.js"

describe("amounts", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [9_949, "9.9 kB"],
    [9_960, "10 kB"],
    [999_499, "999 kB"],
    [999_501, "1.0 MB"],
    [20_000_000, "20 MB"],
    [3e18, "3000 PB"],
  ])("%d bytes are %s", (value, text) => expect(bytes(value)).toBe(text))

  it.each([
    [-5, "0 s"],
    [0.9, "0 s"],
    [59, "59 s"],
    [60, "1 min"],
    [65, "1 min 5 s"],
    [3_600, "1 h"],
    [90_061, "1 d 1 h"],
  ])("%d seconds are %s", (value, text) => expect(span(value)).toBe(text))

  it("counts with thin spaces, and knows one from many", () => {
    expect(count(1_234_567)).toBe("1\u202f234\u202f567")
    expect([plural(1, "host"), plural(2, "host"), plural(0, "query", "queries")]).toEqual([
      "1 host",
      "2 hosts",
      "0 queries",
    ])
  })

  it("tells the day of a moment only where it is another one", () => {
    const noon = new Date(2026, 10, 23, 12, 0, 5).getTime()
    expect(clock(noon, noon + 60_000)).toBe("12:00:05")
    expect(clock(noon, noon + 86_400_000)).toBe("2026-11-23 12:00:05")
    expect(secondsBetween("2026-11-23T06:00:00.500000000Z", "2026-11-23T06:00:02.000000000Z")).toBe(1.5)
  })
})

it("puts the address of IPv6 in brackets before the port", () => {
  expect(endpoint({ address: "203.0.113.9", port: 443 })).toBe("203.0.113.9:443")
  expect(endpoint({ address: "2001:db8::1", port: 443 })).toBe("[2001:db8::1]:443")
})

describe("text of processes", () => {
  it.each([
    ["a\u001b[2Jb", "a\\x1b[2Jb"],
    ["new\nline", "new\\x0aline"],
    ["txt.\u202eexe", "txt.\\u202eexe"],
    ["zero\u200bwidth", "zero\\u200bwidth"],
    ["ünïcode 語", "ünïcode 語"],
  ])("%j is shown as %s", (text, shown) => expect(printable(text)).toBe(shown))

  it("stands in quotes where a shell would need them", () => {
    expect(commandLine(["sh", "-c", "echo it's", ""])).toBe("sh -c 'echo it'\\''s' ''")
  })
})
