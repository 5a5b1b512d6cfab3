import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { folderProblem, openForAppend } from "./trusted-paths.js"
import { aFolder } from "../testing/folder.js"

const nobody = 65_534
const isRoot = process.getuid?.() === 0

function mode(path: string, bits: number): string {
  mkdirSync(path, { recursive: true })
  chmodSync(path, bits)
  return path
}

function given(path: string): string {
  chownSync(path, nobody, nobody)
  return path
}

describe("a folder for secrets", () => {
  it.each([0o700, 0o750, 0o755])("may be this user's own, of mode %o, and need not be there yet", (bits) => {
    const folder = aFolder()
    expect(folderProblem(mode(join(folder, "state"), bits))).toBeUndefined()
    expect(folderProblem(join(folder, "state", "deeper", "still"))).toBeUndefined()
  })

  it("may stand in a folder that all can write, when that is sticky", () => {
    const shared = mode(join(aFolder(), "shared"), 0o1777)
    expect(folderProblem(join(shared, "state"))).toBeUndefined()
    expect(folderProblem(mode(join(shared, "state"), 0o700))).toBeUndefined()
  })

  it("may stand in a folder of the user's own group, as with umask 002, and in no other's", () => {
    const shared = mode(join(aFolder(), "shared"), 0o775)
    expect(folderProblem(join(shared, "state"))).toBeUndefined()
    if (!isRoot) return
    chownSync(shared, 0, nobody)
    expect(folderProblem(join(shared, "state"))?.text).toBe(`${shared} can be written by other users`)
  })

  it.each([0o720, 0o702, 0o777, 0o1777])("is refused when others can write it, as with mode %o", (bits) => {
    const state = mode(join(aFolder(), "state"), bits)
    expect(folderProblem(state)).toEqual({
      text: `${state} can be written by other users`,
      remedy: `Look at what is in it, then chmod 700 ${state}.`,
    })
  })

  it("is refused when others can put another in its place", () => {
    const shared = mode(join(aFolder(), "shared"), 0o777)
    const state = mode(join(shared, "a", "state"), 0o700)
    expect(folderProblem(state)?.text).toBe(`${shared} can be written by other users`)
  })

  it("is refused behind a link in a folder that others can write", () => {
    const folder = aFolder()
    const shared = mode(join(folder, "shared"), 0o777)
    symlinkSync(mode(join(folder, "real"), 0o700), join(shared, "state"))
    expect(folderProblem(join(shared, "state"))?.text).toBe(`${shared} can be written by other users`)
  })

  it("is refused behind a link to where others can write", () => {
    const folder = aFolder()
    const shared = mode(join(folder, "shared"), 0o777)
    symlinkSync(mode(join(shared, "real"), 0o700), join(folder, "state"))
    expect(folderProblem(join(folder, "state"))?.text).toBe(`${shared} can be written by other users`)
  })

  it.runIf(isRoot)("is refused when another user owns it, what is above it, or a link to it", () => {
    const folder = aFolder()
    const own = `and this is uid ${process.getuid?.() ?? 0}`
    const theirs = given(mode(join(folder, "theirs"), 0o755))
    expect(folderProblem(theirs)?.text).toBe(`${theirs} belongs to uid ${nobody}, ${own}`)
    expect(folderProblem(mode(join(theirs, "state"), 0o700))?.text).toBe(`${theirs} belongs to uid ${nobody}, ${own}`)
    const shared = mode(join(folder, "shared"), 0o1777)
    const link = join(shared, "link")
    symlinkSync(mode(join(folder, "mine"), 0o700), link)
    expect(folderProblem(link)).toBeUndefined()
    // lchown: the link itself.
    chownLink(link)
    expect(folderProblem(link)?.text).toBe(`${link} belongs to uid ${nobody}, ${own}`)
  })
})

function chownLink(path: string): void {
  lchownSync(path, nobody, nobody)
  expect(lstatSync(path).uid).toBe(nobody)
}

describe("a file that grows", () => {
  const append = async (path: string) => {
    const file = await openForAppend(path)
    await file.appendFile("line\n")
    await file.close()
  }

  it("is made for its owner alone, and goes on", async () => {
    const path = join(aFolder(), "findings.jsonl")
    await append(path)
    await append(path)
    expect(readFileSync(path, "utf8")).toBe("line\nline\n")
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
  })

  it("may be a link in a folder that only its owner can write", async () => {
    const folder = aFolder()
    symlinkSync(join(folder, "elsewhere"), join(folder, "findings.jsonl"))
    await append(join(folder, "findings.jsonl"))
    expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("line\n")
  })

  it.each([0o777, 0o1777])("follows no link in a folder of mode %o", async (bits) => {
    const folder = aFolder()
    const victim = join(folder, "victim")
    writeFileSync(victim, "")
    const path = join(mode(join(folder, "shared"), bits), "findings.jsonl")
    symlinkSync(victim, path)
    await expect(append(path)).rejects.toThrow("is a link in a folder that other users can write")
    expect(readFileSync(victim, "utf8")).toBe("")
  })

  it("is not another name of a file in such a folder", async () => {
    const folder = aFolder()
    const victim = join(folder, "victim")
    writeFileSync(victim, "")
    const path = join(mode(join(folder, "shared"), 0o1777), "findings.jsonl")
    linkSync(victim, path)
    await expect(append(path)).rejects.toThrow("has a second name")
    expect(readFileSync(victim, "utf8")).toBe("")
  })

  it.runIf(isRoot)("is not a file that another user put there to read along", async () => {
    const path = join(mode(join(aFolder(), "shared"), 0o1777), "findings.jsonl")
    writeFileSync(path, "")
    given(path)
    await expect(append(path)).rejects.toThrow(`belongs to uid ${nobody}`)
    expect(readFileSync(path, "utf8")).toBe("")
  })
})
