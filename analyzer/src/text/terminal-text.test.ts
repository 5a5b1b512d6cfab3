import { describe, expect, it } from "vitest"
import { commandLine, printable } from "./terminal-text.js"

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
