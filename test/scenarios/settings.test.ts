import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { firstUse, listening, pidOf } from "../lab/case.js"
import { addresses, ending, makeGround, stopping } from "../lab/ground.js"
import type { Ground } from "../lab/ground.js"
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
  let ground: Ground
  let watch: Watch
  const cleanUp: (() => unknown)[] = []

  beforeAll(async () => {
    ground = makeGround()
    cleanUp.push(ground.remove)
    await startSshd(ground)
    await ground.serve("inside", "inside_service.py", "http", "8000")
    const file = join(ground.folder, "backflow.yaml")
    writeFileSync(file, settings)
    watch = await Watch.start(ground.folder, ["--config", file])
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
      const client = ssh(ground, "-N", "-R", `${port}:127.0.0.1:8000`, `root@${peer}`)
      await listening(ground, "outside", port)
      const visitor = ground.python("outside", "visitor.py", `${port}`)
      await firstUse(visitor)
      const isTunnel = (f: { class: string; process: { pid: number } }): boolean =>
        f.class === "reverse_tunnel" && f.process.pid === pidOf(client)
      const arrived = await watch.find(0, isTunnel, limitMs)
      found.push([arrived?.finding.status, arrived?.finding.severity])
      await ending(visitor)
      await stopping(client)
    }
    expect(found).toEqual([
      ["expected", "info"],
      ["open", "high"],
    ])
  }, 60_000)

  it("tells a silent SSH channel without a terminal from a login that a person left open", async () => {
    const channel = ssh(ground, "-N", login)
    const options = sshOptions(ground)
    const person = ground.python("inside", "terminal.py", "0", "ssh", "-tt", ...options, login, "sleep 14")
    const severityOf = async (pid: number): Promise<string | undefined> => {
      const isLong = (f: { class: string; process: { pid: number; ancestors: readonly { pid: number }[] } }): boolean =>
        f.class === "long_lived_ssh" && (f.process.pid === pid || f.process.ancestors.some((a) => a.pid === pid))
      return (await watch.find(0, isLong, limitMs))?.finding.severity
    }
    expect(await severityOf(pidOf(channel))).toBe("medium")
    expect(await severityOf(pidOf(person))).toBe("low")
    await stopping(channel)
    await ending(person)
  }, 60_000)
})
