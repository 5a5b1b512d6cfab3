import { beforeEach, describe, expect, it } from "vitest"
import type { ConnectionUpdate } from "../../domain/connection.js"
import type { Attachment, CouplingEdge } from "../../domain/coupling.js"
import { reverseShell } from "./reverse-shell.js"
import { at, startUs } from "../../testing/time.js"
import { sshServer, anUpdate } from "../../testing/connections.js"
import { anEdge, anAttachment, anExecutions } from "../../testing/couplings.js"
import { aProcess } from "../../testing/processes.js"
import { DetectorRun } from "../../testing/trackers.js"

const { cookie } = anUpdate()

/** The connection of `anUpdate` is its owner's stdin, stdout and stderr. */
const stdio = (changes: Partial<Attachment> = {}) =>
  anAttachment({ kind: "stdio-socket", process: "4711:1", child: undefined, cookie, observedUs: startUs, ...changes })

/** A shell behind a pty of the connection's owner, which has read so many characters. */
const behind = (childRead: number, changes: Partial<Attachment> = {}) =>
  anAttachment({ process: "4711:1", child: "4712:2", cookie: "", observedUs: startUs, childRead, ...changes })

const closed = anUpdate({ reason: "closed", observedUs: at(9) })

let host: DetectorRun
beforeEach(() => {
  host = new DetectorRun(reverseShell())
})

describe("a program with the connection as its stdin and stdout", () => {
  const claimsOf = (exe: string, attachment = stdio(), connection: Partial<ConnectionUpdate> = {}) =>
    host.step(startUs, {
      processes: [aProcess(["x"], { exe, comm: "x" })],
      connections: [anUpdate(connection)],
      attachments: [attachment],
    })

  it("is a shell when it reads commands", () => {
    const [claim] = claimsOf("/bin/bash")
    expect(claim).toMatchObject({
      class: "reverse_shell",
      subject: cookie,
      process: "4711:1",
      score: 0.95,
      confidence: 0.97,
      status: "active",
      evidence: [{ facts: { attachment: "stdio-socket" } }, {}],
    })
    expect(claim?.summary).toBe(
      "x takes its commands from 203.0.113.9:443: its stdin and stdout are that connection itself.",
    )
    expect(claim?.evidence.map(({ kind }) => kind)).toEqual(["stdio", "remote-led"])
  })

  it("is one too when its file was replaced since it began", () => {
    expect(claimsOf("/bin/bash (deleted)")).toMatchObject([{ score: 0.95 }])
  })

  it("is less sure under another name", () => {
    expect(claimsOf("/opt/tool")).toMatchObject([{ score: 0.55, confidence: 0.7 }])
  })

  it.each([
    [3, 1],
    [5, 1],
    [1, 0],
    [6, 0],
  ])("needs both directions: mask %i gives %i", (stdioMask, count) => {
    expect(claimsOf("/bin/bash", stdio({ stdioMask }))).toHaveLength(count)
  })

  it.each([
    ["an inside address", { remote: { address: "10.0.0.5", port: 443 } }],
    ["a connection that somebody outside made, as inetd has", { initiator: "remote" as const }],
    ["an SSH server that dialled out, which is another claim", { ssh: sshServer }],
    ["a connection that is over", { reason: "closed" as const }],
  ])("is nothing with %s", (_what, connection) => {
    expect(claimsOf("/bin/bash", stdio(), connection)).toEqual([])
  })
})

describe("a shell behind a pty of the connection's owner", () => {
  const processes = [aProcess(["relay"]), aProcess(["bash"], { key: "4712:2", parent: "4711:1", exe: "/bin/bash" })]
  const begin = (attachment = behind(100)) =>
    host.step(startUs, { processes, connections: [anUpdate({ bytesReceived: 0 })], attachments: [attachment] })
  /** What the shell has read and what has come in, at a second. */
  const move = (second: number, childRead: number, bytesReceived: number, changes: Partial<Attachment> = {}) => [
    ...host.step(at(second), { connections: [anUpdate({ bytesReceived, observedUs: at(second) })] }),
    ...host.step(at(second), { attachments: [behind(childRead, { observedUs: at(second), ...changes })] }),
  ]

  it("is claimed once it has read 16 bytes that came in, and not before", () => {
    begin()
    expect(move(1, 115, 15)).toEqual([])
    const [claim] = move(2, 116, 16)
    expect(claim).toMatchObject({ process: "4712:2", score: 0.95, confidence: 0.95 })
    expect(claim?.summary).toContain("it read through a pseudo terminal, byte for byte, what came in from outside")
  })

  it("is claimed behind pipes too", () => {
    begin(behind(100, { kind: "pipe" }))
    expect(move(1, 116, 16, { kind: "pipe" })[0]?.summary).toContain("it read through pipes, byte for byte")
  })

  it("is nothing where an agent turns long answers into short commands", () => {
    begin()
    const commands = [
      [140, 820],
      [161, 1_730],
      [200, 2_500],
    ] as const
    expect(commands.flatMap(([read, received], i) => move(i + 1, read, received))).toEqual([])
  })

  it("is nothing where programs begin at any time: whoever types is a person here", () => {
    begin()
    const executions = anExecutions({ exposedNs: [4e6, 12e6, 48e6, 192e6, 3e9], started: [0, 0, 0, 0, 1] })
    host.step(at(1), { edges: [anEdge({ kind: "exec", aProcess: "4711:1", aCookie: cookie, executions })] })
    expect([...move(2, 116, 16), ...move(3, 140, 40)]).toEqual([])
  })

  it("is less sure of a program that is no known shell", () => {
    begin()
    host.step(startUs, { processes: [aProcess(["worker"], { key: "4712:2", exe: "/tmp/worker" })] })
    const [claim] = move(1, 116, 16)
    expect(claim?.score).toBe(0.8)
    expect(claim?.summary).toContain("what came in from outside, though it is no known shell")
  })
})

describe("a process that executes what comes in", () => {
  const forward = { n: 3, x: 26, y: 29, xx: 358, yy: 419, xy: 387 }
  const backward = { n: 2, x: 180, y: 180, xx: 18_000, yy: 18_000, xy: 18_000 }
  const executions = anExecutions({ exposedNs: [12e6, 36e6, 144e6, 400e6, 900e6], started: [3, 0, 0, 0, 0] })
  const runs = (changes: Partial<CouplingEdge> = {}) =>
    anEdge({ kind: "exec", aProcess: "4711:1", bProcess: "4713:3", aCookie: cookie, executions, forward, backward, backwardIn: 193, backwardOut: 193, ...changes }) // prettier-ignore
  const step = (edge: CouplingEdge) =>
    host.step(startUs, {
      processes: [
        aProcess(["python3"], { comm: "python3" }),
        aProcess(["sh", "-c", "id"], { key: "4713:3", parent: "4711:1" }),
      ],
      connections: [anUpdate()],
      edges: [edge],
    })

  it("is claimed, and named is who executes", () => {
    const [claim] = step(runs())
    expect(claim).toMatchObject({ class: "reverse_shell", subject: cookie, process: "4711:1", score: 0.92 })
    expect(claim?.summary).toBe(
      "python3 runs what 203.0.113.9:443 tells it: 3 of 3 programs began within 0.25 s after it spoke, and what came in is as long as what ran, what left as long as what was written.",
    )
    expect(claim?.evidence.map(({ kind }) => kind)).toEqual(["execution", "conservation"])
  })

  it("keeps its subject where each poll is a new connection", () => {
    step(runs())
    const [again] = step(runs({ aCookie: "00000000000003e9", forward: { ...forward, n: 4 } }))
    expect(again).toMatchObject({ subject: cookie, cookie: "00000000000003e9" })
  })

  it("is a note where it runs programs on request and lengths do not agree", () => {
    const answers = { n: 3, x: 2_900, y: 60, xx: 3_210_000, yy: 1_400, xy: 57_000 }
    const [claim] = step(runs({ forward: answers, backward: answers }))
    expect(claim?.score).toBe(0.3)
    expect(claim?.summary).toContain("that it runs what it is told is not seen")
  })

  it.each([
    ["an address inside", { aRemote: { address: "10.0.0.5", port: 443 } }],
    ["programs that begin at any time", { executions: { ...executions, started: [0, 0, 0, 1, 5] } }],
  ])("is nothing with %s", (_what, changes) => {
    expect(step(runs(changes))).toEqual([])
  })

  it("is claimed where a proxy inside leads to who tells it", () => {
    const proxy = { address: "10.0.0.5", port: 3_128 }
    host.step(startUs, {
      processes: [aProcess(["python3"])],
      connections: [anUpdate({ remote: proxy, route: "proxy" })],
    })
    expect(host.step(startUs, { edges: [runs({ aRemote: proxy })] })).toMatchObject([{ score: 0.92 }])
  })

  it("is nothing on a connection on which this host is the SSH server, which is another claim", () => {
    host.step(startUs, { connections: [anUpdate({ ssh: sshServer })] })
    expect(host.step(startUs, { edges: [runs()] })).toEqual([])
  })
})

describe("one connection", () => {
  const shells = [
    aProcess(["bash"], { exe: "/bin/bash" }),
    aProcess(["sh"], { key: "4712:2", parent: "4711:1", exe: "/bin/sh" }),
    aProcess(["tool"], { key: "4710:0", exe: "/opt/tool" }),
  ]

  it("is one claim, of the first program that is surest", () => {
    const claims = host.step(startUs, {
      processes: shells,
      connections: [anUpdate()],
      attachments: [stdio({ process: "4710:0" }), stdio(), stdio({ process: "4712:2" })],
    })
    expect(claims.map(({ process, score }) => [process, score])).toEqual([
      ["4710:0", 0.55],
      ["4711:1", 0.95],
    ])
  })

  it("ends its claim when it closes, once", () => {
    host.step(startUs, { processes: shells, connections: [anUpdate()], attachments: [stdio()] })
    expect(host.step(at(9), { connections: [closed] })).toMatchObject([
      { subject: cookie, status: "ended", lastSeenUs: at(9) },
    ])
    expect(host.step(at(10), { connections: [closed] })).toEqual([])
  })

  it("ends nothing that was not claimed", () => {
    host.step(startUs, { connections: [anUpdate()] })
    expect(host.step(at(9), { connections: [closed] })).toEqual([])
  })
})
