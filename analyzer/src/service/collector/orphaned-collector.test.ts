import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chownSync, copyFileSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { markOf } from "../../store/process-mark.js"
import { endOrphan, noteCollector } from "./orphaned-collector.js"
import { aFolder } from "../../testing/folder.js"

/** A process that lives until it is ended. */
async function running(
  program: string,
  options: { readonly uid?: number } = {},
): Promise<ChildProcess & { pid: number }> {
  const child = spawn(program, ["1000"], { stdio: "ignore", ...options })
  onTestFinished(() => void child.kill("SIGKILL"))
  await once(child, "spawn")
  return child as ChildProcess & { pid: number }
}

/** A program of its own: /bin/sleep under another name. */
function aCollector(): string {
  const program = join(aFolder(), "backflow-collector")
  copyFileSync("/bin/sleep", program)
  return program
}

describe("the collector of a run that was killed", () => {
  it("is ended", async () => {
    const [state, program] = [aFolder(), aCollector()]
    const child = await running(program)
    const exit = once(child, "exit")
    noteCollector(state, child.pid)
    expect(await endOrphan(state, program)).toBe(true)
    expect(await exit).toEqual([null, "SIGTERM"])
  })

  it("is ended too when its file was replaced meanwhile", async () => {
    const [state, program] = [aFolder(), aCollector()]
    const child = await running(program)
    const exit = once(child, "exit")
    noteCollector(state, child.pid)
    unlinkSync(program)
    copyFileSync("/bin/sleep", program)
    expect(await endOrphan(state, program)).toBe(true)
    expect(await exit).toEqual([null, "SIGTERM"])
  })

  it("is no other program, whatever the file says", async () => {
    const [state, program] = [aFolder(), aCollector()]
    const child = await running("/bin/sleep")
    noteCollector(state, child.pid)
    expect(await endOrphan(state, program)).toBe(false)
    expect(child.exitCode ?? child.signalCode).toBeNull()
  })

  it.runIf(process.getuid?.() === 0)("is no process of another user, and its file is no other user's", async () => {
    const [state, program] = [aFolder(), "/bin/sleep"]
    const theirs = await running(program, { uid: 65_534 })
    noteCollector(state, theirs.pid)
    expect(await endOrphan(state, program)).toBe(false)
    const own = await running(program)
    noteCollector(state, own.pid)
    chownSync(join(state, "collector.pid"), 65_534, 65_534)
    expect(await endOrphan(state, program)).toBe(false)
    expect([theirs.signalCode, own.signalCode]).toEqual([null, null])
  })

  it("is noted in a file of its own, not through a link", async () => {
    const state = aFolder()
    writeFileSync(join(state, "victim"), "as it was")
    symlinkSync(join(state, "victim"), join(state, "collector.pid"))
    noteCollector(state, process.pid)
    expect(readFileSync(join(state, "victim"), "utf8")).toBe("as it was")
    expect(readFileSync(join(state, "collector.pid"), "utf8")).toBe(markOf(process.pid))
    expect(await endOrphan(state, "/nowhere/backflow-collector")).toBe(false)
  })
})
