import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { firstUseUs, pidOf, waitForPort } from "../lab/case.js"
import { addresses, makeNetwork } from "../lab/network.js"
import { stopProcess, waitForLine, waitForSuccess } from "../lab/processes.js"
import type { LabNetwork, Machine } from "../lab/network.js"
import { missingForLab } from "../lab/requirements.js"
import { login, sshOptions, startSshd } from "../lab/ssh.js"
import { Watch } from "../lab/watch.js"
import { closedConnections } from "./closed-connections.js"

const findLimitMs = 10_000
const missing = missingForLab()
const program = (name: string): string => join(import.meta.dirname, "programs", name)

describe.skipIf(missing !== undefined)("sockets that change hands", () => {
  let network: LabNetwork
  let watch: Watch
  const cleanUp: (() => unknown)[] = []

  const python = (machine: Machine, name: string, ...args: readonly string[]) =>
    network.start(machine, "/usr/bin/python3", "-B", program(name), ...args)

  beforeAll(async () => {
    network = makeNetwork()
    cleanUp.push(network.remove)
    await network.serve("outside", "load.py", "serve", "7000")
    watch = await Watch.start(network.folder)
    cleanUp.push(() => watch.stop())
  }, 60_000)

  afterAll(async () => {
    for (const step of cleanUp.reverse()) await step()
  }, 60_000)

  it("belong to the child that speaks on them, not to the parent that opened them", async () => {
    const parent = python("inside", "handover.py", "fork", addresses.outside, "7000", "1234")
    const child = Number((await waitForLine(parent, "child")).split(" ")[1])
    await waitForSuccess(parent)
    const rows = await closedConnections(watch, (c) => c.initiator === "local" && c.bytes_sent === 1234, 1)
    expect(rows.map((c) => [c.pid, c.bytes_received])).toEqual([[child, 1234]])
  }, 40_000)

  it("carry the name of the program that their process became", async () => {
    const client = python("inside", "handover.py", "exec", addresses.outside, "7000", "2345")
    await waitForSuccess(client)
    const rows = await closedConnections(watch, (c) => c.initiator === "local" && c.bytes_sent === 2345, 1)
    expect(rows.map((c) => [c.pid, c.exe, c.bytes_received])).toEqual([[pidOf(client), "/usr/bin/head", 2345]])
  }, 40_000)

  it("count what io_uring carries, to the byte", async ({ skip }) => {
    const client = python("inside", "uring.py", addresses.outside, "7000", "3000001")
    const refused = await waitForSuccess(client).then(
      () => false,
      (error: unknown) => {
        if (client.exitCode !== 3 || process.env["CI"] === "true") throw error
        return true
      },
    )
    if (refused) skip("this kernel refuses io_uring")
    const rows = await closedConnections(watch, (c) => c.pid === pidOf(client), 1)
    expect(rows.map((c) => [c.bytes_sent, c.bytes_received])).toEqual([[3000001, 3000001]])
  }, 40_000)

  it("lead back to who started a daemon whose parent has ended", async () => {
    await startSshd(network)
    await network.serve("inside", "inside_service.py", "http", "8000")
    const tunnel = ["ssh", ...sshOptions(network), "-N", "-R", "18900:127.0.0.1:8000", login]
    const launcher = python("inside", "handover.py", "detach", ...tunnel)
    const child = Number((await waitForLine(launcher, "child")).split(" ")[1])
    await waitForPort(network, "outside", 18900)
    const visitor = network.python("outside", "visitor.py", "18900")
    await firstUseUs(visitor)
    await waitForSuccess(visitor)
    const found = await watch.find(0, (f) => f.class === "reverse_tunnel" && f.process.pid === child, findLimitMs)
    await stopProcess(launcher)
    expect(found?.finding.process.exe).toBe("/usr/bin/ssh")
    expect(found?.finding.process.ancestors.map((a) => a.pid)).toContain(pidOf(launcher))
  }, 60_000)
})
