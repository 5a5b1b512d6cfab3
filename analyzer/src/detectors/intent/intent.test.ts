import { beforeEach, describe, expect, it } from "vitest"
import { intent } from "./intent.js"
import { startUs, secondUs } from "../../testing/time.js"
import { noSsh, sshClient, anUpdate } from "../../testing/connections.js"
import { aProcess } from "../../testing/processes.js"
import { DetectorRun } from "../../testing/trackers.js"

const tunnelArgv = ["ssh", "-N", "-R", "8080:localhost:80", "me@203.0.113.9"]

let host: DetectorRun
beforeEach(() => {
  host = new DetectorRun(intent())
})

const later = (seconds: number) => startUs + seconds * secondUs

describe("a process that was asked for a way in", () => {
  it("is claimed before it connects, and more strongly once it tries", () => {
    const [claim] = host.step(startUs, { processes: [aProcess(tunnelArgv)] })
    expect(claim).toMatchObject({
      class: "tunnel_intent",
      score: 0.3,
      cookie: "",
      process: "4711:1",
      subject: "4711:1",
    })
    expect(claim?.evidence[0].text).toBe("The command line says: -R 8080:localhost:80")

    const tried = host.step(later(1), { connections: [anUpdate({ established: false, reason: "opened" })] })
    expect(tried).toHaveLength(1)
    expect(tried[0]).toMatchObject({ subject: "4711:1", score: 0.55, cookie: "00000000000003e8" })
    expect(tried[0]?.evidence.map(({ kind }) => kind)).toEqual(["argv", "connection"])
    expect(tried[0]?.summary).toContain("tried to connect to 203.0.113.9:443")

    const [made] = host.step(later(2), { connections: [anUpdate({ observedUs: later(2) })] })
    expect(made?.summary).toContain("connected to 203.0.113.9:443")
  })

  it("is claimed once for the same facts sent again", () => {
    host.step(startUs, { processes: [aProcess(tunnelArgv)] })
    expect(host.step(later(1), { processes: [aProcess(tunnelArgv)] })).toEqual([])
  })

  it("is one with the fork that goes on in the background", () => {
    host.step(startUs, { processes: [aProcess(tunnelArgv), aProcess(tunnelArgv, { key: "4712:2", parent: "4711:1" })] })
    expect(host.step(later(1), { exited: ["4711:1"] })).toEqual([])
    const [claim] = host.step(later(2), { connections: [anUpdate({ process: "4712:2" })] })
    expect(claim).toMatchObject({ subject: "4711:1", process: "4712:2", status: "active" })
    expect(host.step(later(3), { exited: ["4712:2"] })).toMatchObject([{ subject: "4711:1", status: "ended" }])
  })

  it("is one with what autossh starts for it, with other words and a forwarding more", () => {
    const autossh = aProcess(["autossh", "-M", "20000", "-fNR8080:localhost:80", "host"])
    const argv = ["ssh", "-L", "20000:127.0.0.1:20000", "-R", "20000:127.0.0.1:20001", "-NR8080:localhost:80", "host"]
    expect(host.step(startUs, { processes: [autossh] })).toHaveLength(1)
    expect(host.step(later(1), { processes: [aProcess(argv, { key: "4712:2", parent: "4711:1" })] })).toEqual([])
  })

  it("is another one in a child that asks for something else", () => {
    const other = aProcess(["ssh", "-R", "9090:localhost:90", "host"], { key: "4712:2", parent: "4711:1" })
    expect(host.step(startUs, { processes: [aProcess(tunnelArgv), other] })).toHaveLength(2)
  })

  it("owns the connection of its ProxyCommand", () => {
    host.step(startUs, {
      processes: [aProcess(tunnelArgv), aProcess(["nc", "203.0.113.9", "22"], { key: "4713:3", parent: "4711:1" })],
    })
    expect(host.step(later(1), { connections: [anUpdate({ process: "4713:3" })] })).toMatchObject([
      { subject: "4711:1", process: "4711:1", score: 0.55 },
    ])
  })

  it("ends when it becomes another program", () => {
    host.step(startUs, { processes: [aProcess(tunnelArgv)] })
    expect(host.step(later(1), { processes: [aProcess(["sleep", "9"])] })).toMatchObject([{ status: "ended" }])
  })

  it("is found under another name once it speaks SSH as the client", () => {
    const facts = aProcess(["kworkerd", "-fNR8080:localhost:80", "host"])
    expect(host.step(startUs, { processes: [facts], connections: [anUpdate({ reason: "opened" })] })).toEqual([])
    const claims = host.step(later(1), {
      connections: [anUpdate({ ssh: sshClient, reason: "identified", observedUs: later(1) })],
    })
    expect(claims).toMatchObject([{ score: 0.55, confidence: 0.8, cookie: anUpdate().cookie }])
    expect(host.step(later(2), { processes: [facts] })).toEqual([])
  })

  it("shows the connection that proves to be SSH, not what came before it", () => {
    host.step(startUs, { processes: [aProcess(tunnelArgv)], connections: [anUpdate({ cookie: "01" })] })
    const claims = host.step(later(1), { connections: [anUpdate({ cookie: "02", ssh: sshClient })] })
    expect(claims.at(-1)?.cookie).toBe("02")
  })
})

describe("nothing is added by", () => {
  beforeEach(() => {
    host.step(startUs, { processes: [aProcess(tunnelArgv)] })
  })

  it.each([
    ["a connection to the inside", anUpdate({ remote: { address: "10.9.9.9", port: 22 } })],
    ["an accepted connection", anUpdate({ initiator: "remote" })],
    ["a name that is looked up", anUpdate({ protocol: "udp", remote: { address: "9.9.9.9", port: 53 } })],
    ["a name that is looked up over TCP", anUpdate({ remote: { address: "9.9.9.9", port: 53 } })],
    ["SSH's own port over UDP", anUpdate({ protocol: "udp", remote: { address: "9.9.9.9", port: 22 } })],
    ["another process", anUpdate({ process: "99:9" })],
    ["more bytes", anUpdate({ process: "99:9", bytesSent: 9_999_999 })],
  ])("%s", (_, update) => {
    expect(host.step(later(1), { connections: [update] })).toEqual([])
  })
})

describe("quiet about", () => {
  it.each([
    [["ssh", "-L", "8080:localhost:80", "host"]],
    [["ssh", "-D", "1080", "host"]],
    [["ssh", "host"]],
    [["/usr/sbin/sshd", "-D", "-R"]],
    [["ssh", "host", "ls", "-R"]],
  ])("%j", (argv) => {
    const claims = host.step(startUs, {
      processes: [aProcess(argv)],
      connections: [anUpdate({ ssh: sshClient }), anUpdate({ cookie: "02", ssh: noSsh })],
    })
    expect(claims).toEqual([])
  })
})
