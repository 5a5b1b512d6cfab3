import { describe, expect, it } from "vitest"
import { LiveOutbound, defaultQuery } from "./outbound.js"
import type { OutboundQuery } from "./outbound.js"
import { startUs } from "../../testing/time.js"
import { aHost } from "../../testing/hosts.js"
import { noExchanges, anUpdate } from "../../testing/connections.js"
import { aProcess } from "../../testing/processes.js"
import { aView } from "../../testing/trackers.js"

const hex = (n: number) => n.toString(16).padStart(16, "0")
const minutesAgo = (minutes: number) => startUs - minutes * 60_000_000
const remoteDriven = { ...noExchanges, remoteLed: 9, remoteLedAnswered: 9 }

const view = aView(
  [
    anUpdate({ cookie: hex(1), openedUs: minutesAgo(0.5), bytesSent: 10, bytesReceived: 0, observedUs: startUs }),
    anUpdate({
      cookie: hex(2),
      openedUs: minutesAgo(5),
      bytesSent: 900,
      exchanges: remoteDriven,
      observedUs: startUs,
    }),
    anUpdate({ cookie: hex(3), openedUs: minutesAgo(3_000), remote: { address: "2001:db8::9", port: 22 }, bytesSent: 0, bytesReceived: 0, process: "5000:1" }), // prettier-ignore
    anUpdate({ cookie: hex(4), remote: { address: "10.9.9.9", port: 443 } }),
    anUpdate({ cookie: hex(5), initiator: "remote" }),
  ],
  [aProcess(["ssh", "-R"]), aProcess(["/opt/Miner"], { key: "5000:1" })],
)

function live(monotonicMs: () => number = () => 0) {
  let passes = 0
  const outbound = new LiveOutbound({
    views: () => {
      passes += 1
      return [view]
    },
    findingOf: ({ hostId, cookie }) => (hostId === aHost().hostId && cookie === hex(2) ? "f" : undefined),
    nowUs: () => startUs,
    monotonicMs,
  })
  return { outbound, passes: () => passes }
}

const cookies = (changes: Partial<OutboundQuery>) =>
  live()
    .outbound.query({ ...defaultQuery, ...changes })
    .connections.map(({ cookie }) => Number.parseInt(cookie, 16))

describe("live outbound connections", () => {
  it("are those that hosts opened to the outside", () => {
    expect(live().outbound.query(defaultQuery)).toMatchObject({ total: 3, matching: 3 })
  })

  it.each([
    [{ sort: "age" }, [3, 2, 1]],
    [{ sort: "bytes" }, [2, 1, 3]],
    [{ driver: "remote" }, [2]],
    [{ driver: "unclear" }, [3, 1]],
    [{ search: "2001:DB8" }, [3]],
    [{ search: "miner" }, [3]],
    [{ search: "-r" }, [2, 1]],
    [{ search: "build-7" }, [3, 2, 1]],
    [{ search: "nothing like it" }, []],
    [{ limit: 1 }, [3]],
    [{ sort: "bytes", limit: 2 }, [2, 1]],
  ] satisfies [Partial<OutboundQuery>, number[]][])("%j", (question, expected) => {
    expect(cookies(question)).toEqual(expected)
  })

  it("count by age over all that match, beyond the limit", () => {
    const { ages, matching } = live().outbound.query({ ...defaultQuery, limit: 1 })
    expect(matching).toBe(3)
    expect(ages.map(({ remote, local, unclear }) => remote + local + unclear)).toEqual([1, 1, 0, 0, 0, 1, 0])
    expect(ages[1]).toMatchObject({ label: "1 to 10 min", fromSeconds: 60, remote: 1 })
  })

  it("name program and finding", () => {
    const [oldest, next] = live().outbound.query(defaultQuery).connections
    expect(oldest).toMatchObject({ remote: "[2001:db8::9]:22", exe: "/opt/Miner", pid: 5_000, finding: null })
    expect(next).toMatchObject({ exe: "/usr/bin/ssh", driver: "remote", finding: "f", bytesSent: 900 })
  })

  it("are looked through once in two seconds, whoever asks", () => {
    let ms = 0
    const { outbound, passes } = live(() => ms)
    for (ms = 0; ms < 2_000; ms += 100) outbound.query({ ...defaultQuery, search: `${ms}` })
    expect(passes()).toBe(1)
    ms = 2_000
    outbound.query(defaultQuery)
    expect(passes()).toBe(2)
  })
})
