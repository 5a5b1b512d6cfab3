import { spawn } from "node:child_process"
import { once } from "node:events"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { holderOf, takeStateFolder } from "./state-folder.js"

let parent: string
let folder: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "backflow-state-"))
  folder = join(parent, "state")
})

afterEach(() => {
  rmSync(parent, { recursive: true, force: true })
})

describe("takeStateFolder", () => {
  it("makes a folder that others cannot read, and gives it back", () => {
    const state = takeStateFolder(folder)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(holderOf(folder)).toBe(process.pid)
    state.release()
    expect(holderOf(folder)).toBeUndefined()
    takeStateFolder(folder).release()
  })

  it("refuses a folder that a living process has", () => {
    takeStateFolder(folder)
    expect(() => takeStateFolder(folder)).toThrow(
      expect.objectContaining({
        code: "state-locked",
        message: `The state folder ${folder} is in use by process ${process.pid}.`,
      }),
    )
  })

  it("takes over from a process that was killed", async () => {
    const child = spawn(process.execPath, [
      "-e",
      "console.log(require('fs').readFileSync('/proc/self/stat','latin1'));setInterval(()=>{},1e6)",
    ])
    const [stat] = (await once(child.stdout, "data")) as [Buffer]
    const start = stat.toString("latin1").split(") ")[1]?.split(" ")[19] ?? ""
    takeStateFolder(folder).release()
    writeFileSync(join(folder, "lock"), `${child.pid ?? 0} ${start}\n`)
    expect(() => takeStateFolder(folder)).toThrow(`in use by process ${child.pid ?? 0}`)
    child.kill("SIGKILL")
    await once(child, "close")
    takeStateFolder(folder).release()
  })

  it.each([
    ["a process id that was given to another program", `${process.pid} 1\n`],
    ["nothing", ""],
    ["no numbers", "a b c"],
  ])("takes over a lock file with %s", (_what, content) => {
    takeStateFolder(folder).release()
    writeFileSync(join(folder, "lock"), content)
    const state = takeStateFolder(folder)
    expect(holderOf(folder)).toBe(process.pid)
    state.release()
  })

  it("leaves a lock alone that is no longer its own", () => {
    const state = takeStateFolder(folder)
    writeFileSync(join(folder, "lock"), "1 1\n")
    state.release()
    expect(readFileSync(join(folder, "lock"), "utf8")).toBe("1 1\n")
  })

  it("refuses a folder that others can write, with nothing taken from it or made in it", () => {
    mkdirSync(folder)
    chmodSync(folder, 0o777)
    expect(() => takeStateFolder(folder)).toThrow(
      expect.objectContaining({
        code: "config",
        message: `The state folder ${folder} is refused: ${folder} can be written by other users.`,
        remedy: `Look at what is in it, then chmod 700 ${folder}.`,
      }),
    )
    expect(readdirSync(folder)).toEqual([])
  })

  it.runIf(process.getuid?.() === 0)("refuses a folder that another user made before it", () => {
    mkdirSync(folder, { mode: 0o700 })
    chownSync(folder, 65_534, 65_534)
    expect(() => takeStateFolder(folder)).toThrow(`is refused: ${folder} belongs to uid 65534, and this is uid 0.`)
    expect(readdirSync(folder)).toEqual([])
  })

  it("says why a folder cannot be made", () => {
    writeFileSync(folder, "a file")
    expect(() => takeStateFolder(folder)).toThrow(expect.objectContaining({ code: "config" }))
  })

  it("refuses a path that leaves no room for its sockets, before it makes anything", () => {
    const long = join(parent, "a".repeat(100))
    expect(() => takeStateFolder(long)).toThrow(/is too long for the sockets in it, by \d+ bytes/)
    expect(existsSync(long)).toBe(false)
  })
})
