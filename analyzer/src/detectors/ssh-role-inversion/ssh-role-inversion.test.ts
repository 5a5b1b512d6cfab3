import { describe, expect, it } from "vitest"
import { aProcess, anUpdate, secondUs, sshClient, sshServer, startUs, Watch } from "../../testing/detector-run.js"
import { sshRoleInversion } from "./ssh-role-inversion.js"

const later = startUs + secondUs
const sshd = aProcess(["/usr/sbin/sshd", "-i"])

describe("an SSH server that dialled out", () => {
  it("is claimed at once, once, and ended with its connection", () => {
    const host = new Watch(sshRoleInversion())
    expect(host.step(startUs, { processes: [sshd], connections: [anUpdate({ reason: "opened" })] })).toEqual([])
    const claims = host.step(later, { connections: [anUpdate({ ssh: sshServer, reason: "identified" })] })
    expect(claims).toMatchObject([{ class: "ssh_role_inversion", score: 0.85, process: "4711:1", status: "active" }])
    expect(claims[0]?.summary).toContain("sshd (pid 4711, uid 1000) on build-7 dialled out to 203.0.113.9:443")
    expect(claims[0]?.evidence[0].facts).toMatchObject({ initiator: "local", remote_client: true, local_client: false })
    expect(host.step(later + 1, { connections: [anUpdate({ ssh: sshServer, observedUs: later + 1 })] })).toEqual([])
    const closed = anUpdate({ ssh: sshServer, reason: "closed", observedUs: later + 2 })
    expect(host.step(later + 2, { connections: [closed] })).toMatchObject([{ status: "ended" }])
  })
})

describe("quiet about", () => {
  it.each([
    ["a client that dialled out", anUpdate({ ssh: sshClient })],
    ["a login that somebody outside made", anUpdate({ ssh: sshServer, initiator: "remote" })],
    ["a server that dialled inside", anUpdate({ ssh: sshServer, remote: { address: "10.0.0.5", port: 443 } })],
    ["a socket whose initiator is not known", anUpdate({ ssh: sshServer, initiator: "unknown" })],
    ["identification strings alone", anUpdate({ ssh: { ...sshServer, remoteClient: false } })],
  ])("%s", (_, update) => {
    expect(new Watch(sshRoleInversion()).step(startUs, { processes: [sshd], connections: [update] })).toEqual([])
  })
})
