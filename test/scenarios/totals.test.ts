import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { pidOf } from "../lab/case.js"
import { addresses, makeNetwork } from "../lab/network.js"
import { waitForLine, waitForSuccess } from "../lab/processes.js"
import type { LabNetwork } from "../lab/network.js"
import { missingForLab } from "../lab/requirements.js"
import { closedConnections } from "./closed-connections.js"
import { Watch } from "../lab/watch.js"

const size = 10_000_000
const missing = missingForLab()

describe.skipIf(missing !== undefined)("what the kernel counts", () => {
  let network: LabNetwork
  let watch: Watch
  const cleanUp: (() => unknown)[] = []

  beforeAll(async () => {
    network = makeNetwork()
    cleanUp.push(network.remove)
    await network.serve("outside", "load.py", "serve", "7000")
  }, 30_000)

  afterAll(async () => {
    for (const step of cleanUp.reverse()) await step()
  }, 30_000)

  it("sees a socket that is older than the collector, with its direction and all its bytes", async () => {
    await network.serve("inside", "load.py", "serve", "7100")
    const release = join(network.folder, "release")
    const held = network.python("inside", "load.py", "hold", addresses.outside, "7000", "1", release)
    const visitor = network.python("outside", "load.py", "hold", addresses.inside, "7100", "1", release)
    await Promise.all([waitForLine(held, "held"), waitForLine(visitor, "held")])
    watch = await Watch.start(network.folder)
    cleanUp.push(() => watch.stop())
    writeFileSync(release, "")
    await Promise.all([waitForSuccess(held), waitForSuccess(visitor)])
    const rows = await closedConnections(watch, (c) => c.local_port === 7100 || c.pid === pidOf(held), 2)
    expect(rows.map((c) => [c.initiator, c.bytes_sent, c.bytes_received]).sort()).toEqual([
      ["local", 123, 123],
      ["remote", 123, 123],
    ])
  }, 60_000)

  it("counts a splice(2) relay to the byte, on both of its sockets", async () => {
    const relay = await network.serve("inside", "load.py", "relay", "7200", addresses.outside, "7000")
    await waitForSuccess(network.python("inside", "load.py", "dial", "127.0.0.1", "7200", "1", `${size}`))
    await waitForSuccess(relay)
    const rows = await closedConnections(watch, (c) => c.pid === pidOf(relay), 2)
    expect(rows.map((c) => [c.initiator, c.bytes_sent, c.bytes_received]).sort()).toEqual([
      ["local", size, size],
      ["remote", size, size],
    ])
  }, 60_000)

  it("counts sendfile(2) to the byte", async () => {
    const sender = network.python("inside", "load.py", "send", addresses.outside, "7000", `${size}`)
    await waitForSuccess(sender)
    const [row] = await closedConnections(watch, (c) => c.pid === pidOf(sender), 1)
    expect([row?.bytes_sent, row?.bytes_received]).toEqual([size, size])
  }, 60_000)

  it("gives an accepted socket to the process that listened, and a v4-mapped one the plain address", async () => {
    const server = await network.serve("inside", "load.py", "serve", "7300")
    await waitForSuccess(network.python("inside", "load.py", "dial", `::ffff:127.0.0.1`, "7300", "1", "500"))
    const [row] = await closedConnections(watch, (c) => c.local_port === 7300, 1)
    expect([row?.pid, row?.initiator, row?.remote]).toEqual([pidOf(server), "remote", "127.0.0.1"])
  }, 60_000)

  it("records an unconnected UDP socket with its remote end and its bytes", async () => {
    const client = network.python("inside", "load.py", "datagrams", addresses.outside, "7000", "20", "1200")
    await waitForSuccess(client)
    const [row] = await closedConnections(watch, (c) => c.pid === pidOf(client), 1)
    const seen = [row?.protocol, row?.remote, row?.remote_port, row?.bytes_sent, row?.bytes_received]
    expect(seen).toEqual(["udp", addresses.outside, 7000, 24_000, 24_000])
  }, 60_000)

  it("follows IPv6", async () => {
    const client = network.python("inside", "load.py", "dial", addresses.outside6, "7000", "1", "777")
    await waitForSuccess(client)
    const [row] = await closedConnections(watch, (c) => c.pid === pidOf(client), 1)
    expect([row?.remote, row?.bytes_sent, row?.bytes_received]).toEqual([addresses.outside6, 777, 777])
  }, 60_000)
})
