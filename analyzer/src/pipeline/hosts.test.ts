import { describe, expect, it } from "vitest"
import { aBatch } from "../testing/batches.js"
import type { HostFacts } from "../domain/identity.js"
import { Hosts } from "./hosts.js"
import { aHost } from "../testing/hosts.js"
import { anOpening } from "../testing/connections.js"
import { secondUs } from "../testing/time.js"
import { noStages, pipelineOptions } from "../testing/trackers.js"

const hourUs = 3_600 * secondUs
const rebooted: HostFacts = aHost({ bootId: "00000000-0000-4000-8000-000000000001", instance: "8" })
const clone: HostFacts = aHost({ bootId: "00000000-0000-4000-8000-000000000002", instance: "9" })
const other: HostFacts = aHost({ hostId: "host-b" })

function someHosts(): Hosts {
  return new Hosts(pipelineOptions())
}

const opened = aBatch(1, { connections: [anOpening()] })

describe("Hosts", () => {
  it("closes what a host had that was silent for an hour, as a batch that no other one can be taken for", () => {
    const hosts = someHosts()
    hosts.apply(aHost(), opened, 0)
    hosts.apply(other, opened, 2 * secondUs)
    expect(hosts.endSilent(hourUs - 1)).toEqual([])
    const [output, ...none] = hosts.endSilent(hourUs)
    expect(none).toEqual([])
    expect(output).toMatchObject({
      host: { hostId: aHost().hostId, instance: `${aHost().instance}-silent` },
      token: `${aHost().hostId}:${aHost().bootId}:${aHost().instance}-silent:1`,
      connections: [{ reason: "closed", connection: { closed: "vanished" } }],
    })
    expect(hosts.values()).toHaveLength(1)
  })

  it("closes what the boot before had when the host speaks again after a reboot", () => {
    const hosts = someHosts()
    hosts.apply(aHost(), opened, 0)
    hosts.apply(other, opened, 0)
    const outputs = hosts.greet(rebooted, 30 * secondUs)
    expect(outputs.map(({ host, connections }) => [host.bootId, connections.length])).toEqual([[aHost().bootId, 1]])
  })

  it("keeps machines apart that were cloned with one host id", () => {
    const hosts = someHosts()
    for (const second of [0, 20, 40, 60]) {
      hosts.apply(aHost(), aBatch(second + 1, { connections: [anOpening()] }), second * secondUs)
      expect(hosts.greet(clone, second * secondUs)).toEqual([])
      hosts.apply(clone, aBatch(second + 1, { connections: [anOpening()] }), second * secondUs)
    }
    expect(hosts.values().map(({ pipeline: line }) => line.counts.liveConnections)).toEqual([1, 1])
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
    const stages = { ...noStages, detectors: () => [detector] }
    const hosts = new Hosts(pipelineOptions({ stages }))
    for (const [i, ms] of [0, 99, 100, 150, 5_000, 4_000, 5_099, 5_100].entries())
      hosts.apply(aHost(), aBatch(i + 1, { observedUs: 1_000 * secondUs + ms * 1_000 }), 0)
    expect(ticks.map((us) => us / 1_000 - 1_000_000)).toEqual([0, 100, 5_000, 5_100])
  })
})
