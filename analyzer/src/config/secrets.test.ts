import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { AppError } from "../errors.js"
import { fileOf, isSameSecret, secretOf, tokenIn } from "./secrets.js"

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-secrets-"))
  file = join(folder, "secret")
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function failure(run: () => unknown): Pick<AppError, "code" | "message" | "remedy"> {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof AppError) return { code: thrown.code, message: thrown.message, remedy: thrown.remedy }
    throw thrown
  }
  throw new Error("nothing was thrown")
}

describe("the file of a setting", () => {
  it("is read as it is", () => {
    writeFileSync(file, Buffer.from([0x00, 0xff, 0x0a]))
    expect([...fileOf("store.ca_file", file)]).toEqual([0x00, 0xff, 0x0a])
  })

  it("that is not there is an error with setting, file and remedy", () => {
    expect(failure(() => fileOf("store.ca_file", file))).toEqual({
      code: "config",
      message: `store.ca_file cannot be read: ${file}: ENOENT: no such file or directory.`,
      remedy: "Name a file that this user may read.",
    })
  })

  it("that is a folder is one too", () => {
    mkdirSync(file)
    expect(failure(() => fileOf("store.ca_file", file)).message).toBe(
      `store.ca_file cannot be read: ${file}: EISDIR: illegal operation on a directory.`,
    )
  })
})

describe("a secret", () => {
  it("is without the line end of its file", () => {
    writeFileSync(file, "pass word\r\n")
    expect(secretOf("store.password_file", file)).toBe("pass word")
  })

  it.each(["", "\n", " \r\n"])("is not empty, as in %j", (text) => {
    writeFileSync(file, text)
    expect(failure(() => secretOf("listen.token_file", file))).toEqual({
      code: "config",
      message: `listen.token_file is not usable: ${file} is empty.`,
      remedy: "Write the secret into it.",
    })
  })
})

describe("a token", () => {
  it("of nobody's choice is made once, for its owner alone", () => {
    const made = tokenIn("page.token_file", undefined, file)
    expect(made).toEqual({ value: readFileSync(file, "utf8").trim(), file })
    expect(Buffer.from(made.value, "base64url")).toHaveLength(32)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(tokenIn("page.token_file", undefined, file)).toEqual(made)
    expect(tokenIn("page.token_file", undefined, join(folder, "other")).value).not.toBe(made.value)
  })

  const planted = "an-attackers-own-token\n"

  it.each<[string, () => void, string]>([
    ["others can read", () => writeFileSync(file, planted, { mode: 0o644 }), "can be read or written by other users"],
    [
      "is a link",
      () => {
        writeFileSync(`${file}.planted`, planted, { mode: 0o600 })
        symlinkSync(`${file}.planted`, file)
      },
      "is a link",
    ],
    ["is a folder", () => mkdirSync(file), "is no ordinary file"],
  ])("that was made for nobody is refused when it %s", (_what, plant, words) => {
    plant()
    const { code, message, remedy } = failure(() => tokenIn("page.token_file", undefined, file))
    expect([code, message]).toEqual([
      "config",
      `page.token_file is not set, and the token that was made for it is refused: ${file} ${words}.`,
    ])
    expect(remedy).toContain(`rm ${file}`)
  })

  it.runIf(process.getuid?.() === 0)("that was made for nobody is refused when another user owns it", () => {
    writeFileSync(file, planted, { mode: 0o600 })
    chownSync(file, 65_534, 65_534)
    expect(failure(() => tokenIn("page.token_file", undefined, file)).message).toContain("belongs to uid 65534")
  })

  it("is that of the setting, whose file is left as it is", () => {
    writeFileSync(file, "0123456789abcdef\n", { mode: 0o640 })
    expect(tokenIn("page.token_file", file, join(folder, "own"))).toEqual({ value: "0123456789abcdef", file })
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(() => statSync(join(folder, "own"))).toThrow("ENOENT")
  })

  it.each(["0123456789abcde", "0123456789 abcdef", "0123456789abcdeé", ""])("is long and printable, not %j", (text) => {
    writeFileSync(file, text)
    const { code, message, remedy } = failure(() => tokenIn("store.serve.token_file", file, join(folder, "own")))
    expect([code, remedy]).toEqual(["config", `Create one: head -c 32 /dev/urandom | base64 > ${file}`])
    expect(message).toBe(
      `store.serve.token_file is not usable: a token has at least 16 printable characters without spaces, and ${file} holds none.`,
    )
  })

  it("that cannot be made is an error with setting, file and remedy", () => {
    const own = join(folder, "nowhere", "token")
    expect(failure(() => tokenIn("page.token_file", undefined, own))).toEqual({
      code: "config",
      message: `page.token_file is not set, and no token can be created: ${own}: ENOENT: no such file or directory.`,
      remedy: "Let this user write there, or name a file that holds a token.",
    })
  })
})

it.each([
  ["0123456789abcdef", "0123456789abcdef", true],
  ["0123456789abcdeF", "0123456789abcdef", false],
  ["0123456789abcde", "0123456789abcdef", false],
  ["", "0123456789abcdef", false],
  ["", "", false],
])("%j shown for %j: %s", (shown, secret, expected) => {
  expect(isSameSecret(shown, secret)).toBe(expected)
})
