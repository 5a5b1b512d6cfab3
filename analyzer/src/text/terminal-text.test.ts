import { describe, expect, it } from "vitest"
import { byteCount, commandLine, duration, endpoint, printable } from "./terminal-text.js"

describe("printable", () => {
  it.each([
    ["an escape sequence", "\u001b[31mred\u001b[0m", "\\e[31mred\\e[0m"],
    ["a window title", "\u001b]0;owned\u0007", "\\e]0;owned\\u{7}"],
    ["line ends", "a\r\nb\tc\0", "a\\r\\nb\\tc\\0"],
    ["8-bit control", "\u009b2J\u0085", "\\u{9b}2J\\u{85}"],
    ["text that runs backwards", "a\u202ecod.exe\u2066", "a\\u{202e}cod.exe\\u{2066}"],
    ["what cannot be seen", "a\u200bb\ufeffc", "a\\u{200b}b\\u{feff}c"],
    ["half of a surrogate pair", "a\ud800", "a\\u{d800}"],
  ])("escapes %s", (_what, text, expected) => {
    expect(printable(text)).toBe(expected)
  })

  it.each(["Grüße, 世界 🔑", "ssh -N -R 8080:localhost:80 ops@203.0.113.9"])("keeps %s", (text) => {
    expect(printable(text)).toBe(text)
  })
})

describe("commandLine", () => {
  it.each([
    [["ssh", "-N", "-R", "8080:localhost:80"], "ssh -N -R 8080:localhost:80"],
    [["sh", "-c", "echo $HOME; it's"], "sh -c 'echo $HOME; it'\\''s'"],
    [["a", "", "b", "", ""], "a '' b"],
    [["x\u001b[2J"], "'x\\e[2J'"],
    [[], ""],
  ])("shows %j as %s", (argv, expected) => {
    expect(commandLine(argv)).toBe(expected)
  })

  it("says how much it leaves out", () => {
    expect(commandLine(["a".repeat(30)], 10)).toBe("aaaaaaaaaa… (20 more)")
  })
})

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [64_877, "65 kB"],
  [2_500_000, "2.5 MB"],
  [9e15, "9.0 PB"],
  [9e18, "9000 PB"],
])("byteCount shows %d as %s", (bytes, expected) => {
  expect(byteCount(bytes)).toBe(expected)
})

it.each([
  [0, "0 s"],
  [-5, "0 s"],
  [41_400_000, "41 s"],
  [3_600_000_000, "1 h"],
  [7_500_000_000, "2 h 5 min"],
  [93_784_000_000, "1 d 2 h"],
])("duration shows %d microseconds as %s", (us, expected) => {
  expect(duration(us)).toBe(expected)
})

it.each([
  [{ address: "203.0.113.9", port: 443 }, "203.0.113.9:443"],
  [{ address: "2001:db8::1", port: 22 }, "[2001:db8::1]:22"],
])("endpoint shows %j as %s", (value, expected) => {
  expect(endpoint(value)).toBe(expected)
})
