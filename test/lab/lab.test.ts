import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Case, Lab } from "./case.js"
import { benignClients } from "./cases/benign-clients.js"
import { benignSsh } from "./cases/benign-ssh.js"
import { besideEachOther, joinedRelays } from "./cases/joined.js"
import { canary, relays } from "./cases/relays.js"
import { shells } from "./cases/shells.js"
import { tunnels } from "./cases/tunnels.js"
import { makeNetwork } from "./network.js"
import { missingForLab } from "./requirements.js"
import { makeCertificate, startSshd } from "./ssh.js"
import { bytesAgree } from "./bytes.js"
import { table, writeIntoDocs } from "./table.js"
import type { Verdict } from "./table.js"
import { Watch } from "./watch.js"
import type { StoredConnection } from "./connections.js"
import type { LabFinding } from "./watch.js"

const alarming = ["medium", "high", "critical"]
const findLimitMs = 15_000
const verdicts: Verdict[] = []
let removeNetwork: (() => void) | undefined
let watch: Watch
let started: Watch | undefined
let lab: Lab

const missing = missingForLab()
if (missing !== undefined) console.log(`lab: skipped, ${missing}`)

describe.skipIf(missing !== undefined)("lab", () => {
  beforeAll(async () => {
    const network = makeNetwork()
    removeNetwork = network.remove
    lab = { network, certificate: makeCertificate(network) }
    await startSshd(network)
    await network.serve("inside", "inside_service.py", "http", "8000")
    await network.serve("inside", "inside_service.py", "db", "6000")
    await network.serve("outside", "inside_service.py", "http", "8001")
    await network.serve("lan", "inside_service.py", "http", "8000")
    watch = started = await Watch.start(network.folder)
  }, 60_000)

  afterAll(async () => {
    try {
      if (started) expect(await started.stop()).toBe(0)
    } finally {
      removeNetwork?.()
    }
  }, 60_000)

  describe("finds", () => {
    it.each([...tunnels, ...relays, ...joinedRelays, ...shells])(
      "$name",
      async (one) => {
        const from = watch.arrivals.length
        const run = await one.run(lab)
        const arrival = await watch.find(from, (finding) => isWanted(finding, one, run.pids), findLimitMs)
        const exact = arrival && (await bytesAgree(watch, arrival.finding.connection.cookie))
        verdicts.push({ case: one, run, arrival, exact })
        await run.end()
        expect(
          arrival?.finding.class,
          `classes that came: ${watch.arrivals
            .slice(from)
            .map(
              (a) =>
                `${a.finding.summary} ${a.finding.status} v${a.finding.version} pid ${a.finding.process.pid} < ${a.finding.process.ancestors.map((x) => x.pid).join(" ")}; wanted ${run.pids.join(" ")}`,
            )
            .join(", ")}`,
        ).toBeDefined()
        expect(arrival?.finding.process.exe).toMatch(one.finds?.exe ?? /$^/)
      },
      60_000,
    )
  })

  describe("wakes nobody for", () => {
    it.each([...benignSsh, ...benignClients, ...besideEachOther])(
      "$name",
      async (one) => {
        const from = watch.arrivals.length
        const run = await one.run(lab)
        await run.end()
        const sentinel = await canary.run(lab)
        const passed = await watch.find(from, (finding) => isWanted(finding, canary, sentinel.pids), findLimitMs)
        await sentinel.end()
        const known = new Set(watch.arrivals.slice(0, from).map(({ finding }) => finding.id))
        const alarm = watch.arrivals
          .slice(from)
          .find(
            ({ finding }) =>
              alarming.includes(finding.severity) && !known.has(finding.id) && !concerns(finding, sentinel.pids),
          )
        verdicts.push({ case: one, run, arrival: alarm, exact: undefined })
        expect(passed, "the canary was not found: nothing can be said of what came before it").toBeDefined()
        expect(alarm?.finding).toBeUndefined()
      },
      60_000,
    )
  })

  describe("as a whole", () => {
    let connections: readonly StoredConnection[]
    beforeAll(() => {
      connections = watch.connections()
      const text = table(verdicts)
      console.log(`\n${text}\n`)
      if (process.env["LAB_WRITE_TABLE"] === "1") writeIntoDocs(text)
    }, 30_000)

    it("counts every byte of the outside connections, at both ends alike", () => {
      const found = verdicts.filter((v) => v.case.finds && v.arrival)
      expect(found.length).toBeGreaterThan(0)
      expect(found.filter((v) => v.exact !== true).map((v) => v.case.name)).toEqual([])
    })

    it("has every connection in the store once", () => {
      expect(new Set(connections.map((c) => c.cookie)).size).toBe(connections.length)
    })
  })
})

function isWanted(finding: LabFinding, one: Case, pids: readonly number[]): boolean {
  return (
    (one.finds?.class.includes(finding.class) ?? false) &&
    alarming.includes(finding.severity) &&
    concerns(finding, pids)
  )
}

function concerns({ process }: LabFinding, pids: readonly number[]): boolean {
  return pids.includes(process.pid) || process.ancestors.some((ancestor) => pids.includes(ancestor.pid))
}
