import { beforeEach, describe, expect, it } from "vitest"
import { sshRoleInversion } from "./ssh-role-inversion.js"
import { startUs, secondUs } from "../../testing/time.js"
import { sshClient, sshServer, anUpdate } from "../../testing/connections.js"
import { aProcess } from "../../testing/processes.js"
import { DetectorRun } from "../../testing/trackers.js"

const at = (seconds: number) => startUs + seconds * secondUs
const sshd = aProcess(["/usr/sbin/sshd", "-i"])
const identified = (second: number) => anUpdate({ ssh: sshServer, reason: "identified", observedUs: at(second) })
const closed = (second: number) => anUpdate({ ssh: sshServer, reason: "closed", observedUs: at(second) })

let host: DetectorRun
beforeEach(() => {
  host = new DetectorRun(sshRoleInversion())
})

describe("an SSH server that dialled out", () => {
  beforeEach(() => {
    host.step(startUs, { processes: [sshd], connections: [anUpdate({ reason: "opened" })] })
  })

  it("is claimed as soon as the far side proves to be the client", () => {
    const [claim] = host.step(at(1), { connections: [identified(1)] })
    expect(claim).toMatchObject({ class: "ssh_role_inversion", score: 0.85, process: "4711:1", status: "active" })
    expect(claim?.summary).toContain("sshd (pid 4711, uid 1000) on build-7 dialled out to 203.0.113.9:443")
    expect(claim?.evidence[0].facts).toMatchObject({ initiator: "local", remote_client: true, local_client: false })
  })

  it("is claimed once while nothing changes", () => {
    host.step(at(1), { connections: [identified(1)] })
    expect(host.step(at(2), { connections: [anUpdate({ ssh: sshServer, observedUs: at(2) })] })).toEqual([])
  })

  it("is claimed anew when the connection is handed to another process, as to that of the session", () => {
    host.step(at(1), { connections: [identified(1)] })
    const session = anUpdate({ ssh: sshServer, process: "4712:2", observedUs: at(2) })
    expect(host.step(at(2), { connections: [session] })).toMatchObject([{ process: "4712:2", firstSeenUs: startUs }])
  })

  it("ends with its connection, once", () => {
    host.step(at(1), { connections: [identified(1)] })
    expect(host.step(at(2), { connections: [closed(2)] })).toMatchObject([{ status: "ended", lastSeenUs: at(2) }])
    expect(host.step(at(3), { connections: [closed(3)] })).toEqual([])
  })

  it("is nothing when all that was seen of it came with its end", () => {
    expect(host.step(at(1), { connections: [closed(1)] })).toEqual([])
  })
})

describe("the role", () => {
  // One bit decides: identification strings are the same on both sides.
  it.each([
    [{ ...sshServer, remoteClient: true, localClient: false }, 1],
    [{ ...sshServer, remoteClient: false, localClient: false }, 0],
    [{ ...sshServer, remoteClient: true, localClient: true }, 0],
  ])("of %j gives %i claims", (ssh, count) => {
    expect(host.step(startUs, { processes: [sshd], connections: [anUpdate({ ssh })] })).toHaveLength(count)
  })
})

describe("quiet about", () => {
  it.each([
    ["a client that dialled out", anUpdate({ ssh: sshClient })],
    ["a login that somebody outside made", anUpdate({ ssh: sshServer, initiator: "remote" })],
    ["a server that dialled inside", anUpdate({ ssh: sshServer, remote: { address: "10.0.0.5", port: 443 } })],
    ["a socket whose initiator is not known", anUpdate({ ssh: sshServer, initiator: "unknown" })],
  ])("%s", (_, update) => {
    expect(host.step(startUs, { processes: [sshd], connections: [update] })).toEqual([])
  })
})
