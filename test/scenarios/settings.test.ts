import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { firstUseUs, pidOf, waitForPort } from "../lab/case.js"
import { addresses, makeNetwork } from "../lab/network.js"
import { stopProcess, waitForSuccess } from "../lab/processes.js"
import type { LabNetwork } from "../lab/network.js"
import { missingForLab } from "../lab/requirements.js"
import { login, ssh, sshOptions, startSshd } from "../lab/ssh.js"
import { Watch } from "../lab/watch.js"

const missing = missingForLab()
const limitMs = 25_000
const settings = `
detectors:
  long_lived_ssh: { after_seconds: 10 }
policy:
  approved:
    - destination: ${addresses.outsideToo}:22
      identity: { exe: /usr/bin/ssh }
      reason: bastion of the platform team
`

describe.skipIf(missing !== undefined)("with settings of its own", () => {
  let network: LabNetwork
  let watch: Watch
  const cleanUp: (() => unknown)[] = []

  beforeAll(async () => {
    network = makeNetwork()
    cleanUp.push(network.remove)
    await startSshd(network)
    await network.serve("inside", "inside_service.py", "http", "8000")
    const file = join(network.folder, "backflow.yaml")
    writeFileSync(file, settings)
    watch = await Watch.start(network.folder, ["--config", file])
    cleanUp.push(() => watch.stop())
  }, 60_000)

  afterAll(async () => {
    for (const step of cleanUp.reverse()) await step()
  }, 30_000)

  it("records a tunnel to an approved peer as expected, and alerts the same tunnel to another", async () => {
    const found: (string | undefined)[][] = []
    for (const [port, peer] of [
      [19001, addresses.outsideToo],
      [19002, addresses.outside],
    ] as const) {
      const client = ssh(network, "-N", "-R", `${port}:127.0.0.1:8000`, `root@${peer}`)
      await waitForPort(network, "outside", port)
      const visitor = network.python("outside", "visitor.py", `${port}`)
      await firstUseUs(visitor)
      const isTunnel = (f: { class: string; process: { pid: number } }): boolean =>
        f.class === "reverse_tunnel" && f.process.pid === pidOf(client)
      const arrival = await watch.find(0, isTunnel, limitMs)
      found.push([arrival?.finding.status, arrival?.finding.severity])
      await waitForSuccess(visitor)
      await stopProcess(client)
    }
    expect(found).toEqual([
      ["expected", "info"],
      ["open", "high"],
    ])
  }, 60_000)

  it("tells a silent SSH channel without a terminal from a login that a person left open", async () => {
    const channel = ssh(network, "-N", login)
    const options = sshOptions(network)
    const person = network.python("inside", "terminal.py", "0", "ssh", "-tt", ...options, login, "sleep 14")
    const severityOf = async (pid: number): Promise<string | undefined> => {
      const isLong = (f: { class: string; process: { pid: number; ancestors: readonly { pid: number }[] } }): boolean =>
        f.class === "long_lived_ssh" && (f.process.pid === pid || f.process.ancestors.some((a) => a.pid === pid))
      return (await watch.find(0, isLong, limitMs))?.finding.severity
    }
    expect(await severityOf(pidOf(channel))).toBe("medium")
    expect(await severityOf(pidOf(person))).toBe("low")
    await stopProcess(channel)
    await waitForSuccess(person)
  }, 60_000)
})
