import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { backflow } from "../lab/executables.js"
import { missingForLab } from "../lab/requirements.js"
import { Watch } from "../lab/watch.js"
import type { LabFinding } from "../lab/watch.js"

const missing = missingForLab()
/** The first proof comes within 5 s of the first batch; a host is given up 3 s after a relay, a request after 10 s. */
const limitMs = 25_000
const notProven = 15

const isProof = ({ status }: LabFinding): boolean => status === "proof"
const isBlind = ({ class: name }: LabFinding): boolean => name === "host_blind"

/** Children of a process, with their names. */
function childrenOf(parent: number): { pid: number; name: string }[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const [, name = "", above] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "latin1")) ?? []
      return Number(above) === parent ? [{ pid: Number(pid), name }] : []
    } catch {
      return []
    }
  })
}

function proverOf(up: number): number {
  const provers = childrenOf(up)
    .flatMap(({ pid }) => childrenOf(pid))
    .filter(({ name }) => name === "backflow-prover")
  const [prover, ...others] = provers
  if (prover === undefined || others.length > 0) throw new Error(`${provers.length} provers run`)
  return prover.pid
}

describe.skipIf(missing !== undefined)("a host that is asked to prove that it is watched", () => {
  let folder: string
  let watch: Watch

  const prove = (): Promise<{ code: number | null; text: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [backflow, "prove", "--state", join(folder, "state")])
      let text = ""
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => (text += chunk.toString()))
      child.once("error", reject)
      child.once("close", (code) => resolve({ code, text }))
    })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "backflow-proof-"))
    watch = await Watch.start(folder, ["--page", "off"])
  }, 60_000)

  afterAll(async () => {
    await watch.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  it(
    "shows the relay by itself soon after the start, as a proof and nothing else",
    async () => {
      const arrival = await watch.find(0, isProof, limitMs)
      expect(arrival?.finding).toMatchObject({ class: "reverse_tunnel", severity: "info", version: 1 })
      const { pid, ancestors } = arrival?.finding.process ?? { pid: 0, ancestors: [] }
      expect(ancestors.map((above) => above.pid)).toContain(proverOf(watch.pid))
      const others = watch.arrivals.filter(({ finding }) => finding.process.pid === pid && !isProof(finding))
      expect(others).toEqual([])
    },
    limitMs + 5_000,
  )

  it(
    "shows it again when somebody asks, and leaves no process behind",
    async () => {
      const { code, text } = await prove()
      expect(text).toMatch(/^host \S+: proven: the relay was found after [01]\.\d\d s\n$/)
      expect(code).toBe(0)
      expect(childrenOf(proverOf(watch.pid))).toEqual([])
    },
    limitMs,
  )

  it("has a prover without rights, files and network", () => {
    const prover = proverOf(watch.pid)
    const status = readFileSync(`/proc/${prover}/status`, "utf8")
    expect(status).toMatch(/^CapEff:\t0+$/m)
    expect(status).toMatch(/^CapPrm:\t0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(readdirSync(`/proc/${prover}/fd`)).toEqual(["0", "1", "2"])
    const devices = readFileSync(`/proc/${prover}/net/dev`, "utf8")
      .split("\n")
      .slice(2)
      .filter((line) => line !== "")
    expect(devices.every((line) => /^ *(lo|tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0):/.test(line))).toBe(true) // prettier-ignore
  })

  it(
    "is blind while the prover is stopped, and proven again when it goes on",
    async () => {
      const prover = proverOf(watch.pid)
      const from = watch.arrivals.length
      process.kill(prover, "SIGSTOP")
      const stopped = await prove()
      expect(stopped.text).toMatch(/^host \S+: BLIND: timeout: the prover did not respond\n$/)
      expect(stopped.code).toBe(notProven)
      expect((await watch.find(from, isBlind, limitMs))?.finding).toMatchObject({ severity: "medium", status: "open" })
      process.kill(prover, "SIGCONT")
      const isClosed = (finding: LabFinding) => isBlind(finding) && finding.status === "closed"
      // What was asked before it was stopped may have to end first.
      let again = await prove()
      for (const end = Date.now() + limitMs; again.code !== 0 && Date.now() < end;) again = await prove()
      expect(again.code).toBe(0)
      expect(await watch.find(from, isClosed, limitMs)).toBeDefined()
    },
    3 * limitMs,
  )

  it(
    "is blind when somebody ends the prover",
    async () => {
      const from = watch.arrivals.length
      process.kill(proverOf(watch.pid), "SIGKILL")
      const ended = await prove()
      expect(ended.text).toMatch(/^host \S+: BLIND: the prover has ended \(signal 9\)/)
      expect(ended.code).toBe(notProven)
      expect((await watch.find(from, isBlind, limitMs))?.finding).toMatchObject({ severity: "medium" })
    },
    2 * limitMs,
  )
})
