import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { CollectorChild } from "./collector-child.js"
import type { Readiness } from "./collector-child.js"

let folder: string
let received: string[]
let wake: () => void

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-child-"))
  received = []
  wake = () => undefined
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A stand-in for the native program, in shell: what crosses this boundary are lines, signals and exit codes. */
function collector(script: string): CollectorChild {
  const program = join(folder, "collector.sh")
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  const hear = (text: string) => {
    received.push(text)
    wake()
  }
  return new CollectorChild({
    program,
    args: ["--analyzer", "unix:/nowhere"],
    onStart: () => undefined,
    onLog: (line) => hear(`log ${line}`),
    onReady: ({ host = "", hooks = 0 }: Readiness) => hear(`ready ${host} ${hooks}`),
    onRestart: (words, pauseMs) => hear(`restart in ${pauseMs}: ${words}`),
  })
}

/** Resolves when as many lines were received. */
async function untilReported(count: number): Promise<void> {
  while (received.length < count)
    await new Promise<void>((resolve) => {
      wake = resolve
    })
}

const ready = `echo '{"ready":true,"host":"h","kernel":"6","hooks":3,"degraded":[]}'`
/** Ready, and until SIGTERM; then the last words. */
const steady = (lastWords: string) => `trap '${lastWords}; exit $code' TERM\n${ready}\nwhile :; do sleep 0.05; done`

describe("a collector", () => {
  it("is ready when it reports so, and its earlier log is not lost", async () => {
    const child = collector(`echo 'backflow-collector: x is missing: y' >&2\ncode=0\n${steady(":")}`)
    const running = child.run()
    await untilReported(2)
    expect([...received].sort()).toEqual(["log x is missing: y", "ready h 3"])
    expect(await child.stop(10_000)).toBe(true)
    await running
  })

  it("is given its time to hand over, and its arguments", async () => {
    const child = collector(`echo "$@" > ${folder}/args\ncode=0\n${steady(`touch ${folder}/handed-over`)}`)
    const running = child.run()
    await untilReported(1)
    expect(await child.stop(10_000)).toBe(true)
    expect(existsSync(join(folder, "handed-over"))).toBe(true)
    expect(readFileSync(join(folder, "args"), "utf8")).toBe("--analyzer unix:/nowhere\n")
    await running
  })

  it("that could not hand over everything shows it by its exit code", async () => {
    const child = collector(`code=1\n${steady(":")}`)
    const running = child.run()
    await untilReported(1)
    expect(await child.stop(10_000)).toBe(false)
    await running
  })

  it("is restarted when it dies, and that is reported", async () => {
    const child = collector(
      `code=0\nif [ -e ${folder}/second ]; then ${steady(":")}; fi\n${ready}\ntouch ${folder}/second\necho 'backflow-collector: broke' >&2\nexit 1`,
    )
    const running = child.run()
    await untilReported(4)
    expect(received.filter((line) => !line.startsWith("log"))).toEqual([
      "ready h 3",
      "restart in 1000: broke",
      "ready h 3",
    ])
    await child.stop(10_000)
    await running
  })

  it("is not waited for in a pause", async () => {
    const child = collector(`${ready}\nexit 1`)
    const running = child.run()
    await untilReported(2)
    const stoppedMs = performance.now()
    expect(await child.stop(10_000)).toBe(true)
    await running
    // The first pause is one second.
    expect(performance.now() - stoppedMs).toBeLessThan(800)
  })
})

describe("a collector that never observes", () => {
  it.each([
    ["is not permitted", "echo 'backflow-collector: it lacks CAP_BPF' >&2; exit 3", "host-unfit", "it lacks CAP_BPF"],
    ["meets an old kernel", "echo 'backflow-collector: no BTF' >&2; exit 4", "host-unfit", "no BTF"],
    ["fails otherwise", "echo 'backflow-collector: refused' >&2; exit 1", "collector-failed", "refused"],
    ["says nothing", "exit 7", "collector-failed", "The collector ended with exit code 7"],
    ["is killed", "kill -KILL $$", "collector-failed", "The collector was killed by SIGKILL"],
  ])("because it %s ends the start", async (_why, script, code, message) => {
    await expect(collector(script).run()).rejects.toMatchObject({ code, message })
    expect(received).toEqual([])
  })

  it("because there is none ends the start", async () => {
    const child = collector("")
    rmSync(join(folder, "collector.sh"))
    await expect(child.run()).rejects.toMatchObject({ code: "collector-missing" })
  })
})
