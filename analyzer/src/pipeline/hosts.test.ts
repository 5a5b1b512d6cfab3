import { describe, expect, it } from "vitest"
import { aBatch } from "../testing/batches.js"
import type { HostFacts } from "../domain/identity.js"
import { Networks } from "../domain/networks.js"
import { Hosts } from "./hosts.js"
import { aHost } from "../testing/hosts.js"
import { anOpening } from "../testing/connections.js"

const secondUs = 1_000_000
const hourUs = 3_600 * secondUs
const rebooted: HostFacts = aHost({ bootId: "00000000-0000-4000-8000-000000000001", instance: "8" })
const clone: HostFacts = aHost({ bootId: "00000000-0000-4000-8000-000000000002", instance: "9" })
const other: HostFacts = aHost({ hostId: "host-b" })

function someLines(): Hosts {
  const stages = {
    detectors: () => [],
    findings: () => ({ advance: () => [] }),
    incidents: () => ({ advance: () => [] }),
  }
  return new Hosts({ networks: new Networks(), stages })
}

const opened = aBatch(1, { connections: [anOpening()] })

describe("Hosts", () => {
  it("closes what a host had that was silent for an hour, as a batch that no other one can be taken for", () => {
    const lines = someLines()
    lines.apply(aHost(), opened, 0)
    lines.apply(other, opened, 2 * secondUs)
    expect(lines.endSilent(hourUs - 1)).toEqual([])
    const [output, ...none] = lines.endSilent(hourUs)
    expect(none).toEqual([])
    expect(output).toMatchObject({
      host: { hostId: aHost().hostId, instance: `${aHost().instance}-silent` },
      token: `${aHost().hostId}:${aHost().bootId}:${aHost().instance}-silent:1`,
      connections: [{ reason: "closed", connection: { closed: "vanished" } }],
    })
    expect(lines.values()).toHaveLength(1)
  })

  it("closes what the boot before had when the host speaks again after a reboot", () => {
    const lines = someLines()
    lines.apply(aHost(), opened, 0)
    lines.apply(other, opened, 0)
    const outputs = lines.greet(rebooted, 30 * secondUs)
    expect(outputs.map(({ host, connections }) => [host.bootId, connections.length])).toEqual([[aHost().bootId, 1]])
  })

  it("keeps machines apart that were cloned with one host id", () => {
    const lines = someLines()
    for (const second of [0, 20, 40, 60]) {
      lines.apply(aHost(), aBatch(second + 1, { connections: [anOpening()] }), second * secondUs)
      expect(lines.greet(clone, second * secondUs)).toEqual([])
      lines.apply(clone, aBatch(second + 1, { connections: [anOpening()] }), second * secondUs)
    }
    expect(lines.values().map(({ pipeline: line }) => line.counts.liveConnections)).toEqual([1, 1])
  })

  it("ticks detectors with event time, at most every 100 ms of it", () => {
    const ticks: number[] = []
    const detector = {
      name: "clock",
      observe: () => [],
      tick: (nowUs: number) => {
        ticks.push(nowUs)
        return []
      },
    }
    const stages = {
      detectors: () => [detector],
      findings: () => ({ advance: () => [] }),
      incidents: () => ({ advance: () => [] }),
    }
    const lines = new Hosts({ networks: new Networks(), stages })
    for (const [i, ms] of [0, 99, 100, 150, 5_000, 4_000, 5_099, 5_100].entries())
      lines.apply(aHost(), aBatch(i + 1, { observedUs: 1_000 * secondUs + ms * 1_000 }), 0)
    expect(ticks.map((us) => us / 1_000 - 1_000_000)).toEqual([0, 100, 5_000, 5_100])
  })
})
