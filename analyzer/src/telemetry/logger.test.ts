import { Writable } from "node:stream"
import { describe, expect, it } from "vitest"
import { createLogger } from "./logger.js"
import type { LogOptions } from "./logger.js"

function logged(
  options: Pick<LogOptions, "level" | "words">,
  log: (logger: ReturnType<typeof createLogger>) => void,
): string[] {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"))
      done()
    },
  })
  log(createLogger({ ...options, stream }))
  return lines
}

describe("the log", () => {
  it("is one JSON object a line for a program", () => {
    const [line = ""] = logged({ level: "info", words: false }, (log) => log.info({ host: "a" }, "collector connected"))
    expect(JSON.parse(line)).toMatchObject({
      level: "info",
      host: "a",
      msg: "collector connected",
      time: expect.any(String) as string,
    })
    expect(line.endsWith("}\n")).toBe(true)
  })

  it("is one line of words for a person, which cannot command the terminal", () => {
    const [line] = logged({ level: "info", words: true }, (log) =>
      log.warn({ host: "a\u001b[2J", batches: 3 }, "no\nanswer"),
    )
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}no\\nanswer host=a\\e\[2J batches=3\n$/)
  })

  it.each([[true], [false]])("hides secrets wherever they stand (words: %s)", (words) => {
    const text = logged({ level: "info", words }, (log) =>
      log.info(
        {
          token: "s3cret",
          store: { password: "s3cret" },
          headers: { authorization: "Bearer s3cret", cookie: "s3cret" },
          reply: { headers: { "set-cookie": ["s3cret"] } },
        },
        "configured",
      ),
    ).join("")
    expect(text).not.toContain("s3cret")
    expect(text.match(/\(hidden\)/g)).toHaveLength(5)
  })

  it("keeps quiet below its level", () => {
    expect(logged({ level: "warn", words: false }, (log) => log.info({}, "x"))).toEqual([])
  })
})
