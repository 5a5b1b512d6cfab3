import { describe, expect, it, vi } from "vitest"
import type { ConnectionUpdate } from "../../domain/connection.js"
import type { ProcessFacts } from "../../domain/identity.js"
import { longLivedSsh } from "./long-lived-ssh.js"
import { at, startUs } from "../../testing/time.js"
import { noSsh, sshClient, sshServer, anUpdate } from "../../testing/connections.js"
import { aProcess } from "../../testing/processes.js"
import { aBatch } from "../../testing/batches.js"
import { DetectorRun, aView } from "../../testing/trackers.js"

const ssh = aProcess(["ssh", "-N", "host"])

/** Claims at one second before ten minutes, at ten minutes, and at an hour after it. */
function watch(update: ConnectionUpdate, processes: readonly ProcessFacts[] = [ssh]) {
  const host = new DetectorRun(longLivedSsh({ afterSeconds: 600 }))
  host.step(startUs, { processes, connections: [update] })
  const step = (seconds: number) => host.step(at(seconds))
  return { host, before: step(599.999), due: step(600), between: step(600 + 3599), repeated: step(600 + 3600) }
}

describe("an SSH connection to the outside that stays", () => {
  it("is claimed from ten minutes on, silent or not, and again each hour", () => {
    const { before, due, between, repeated } = watch(anUpdate({ ssh: sshClient }))
    expect(before).toEqual([])
    expect(due).toMatchObject([{ class: "long_lived_ssh", score: 0.6, confidence: 0.95, status: "active" }])
    expect(due[0]?.summary).toContain("has kept an SSH connection to 203.0.113.9:443 open for 10 minutes")
    expect(due[0]?.evidence[0]).toMatchObject({ kind: "age", facts: { age_seconds: 600, silent_seconds: 600 } })
    expect(between).toEqual([])
    expect(repeated).toMatchObject([{ subject: due[0]?.subject, lastSeenUs: at(4200) }])
  })

  it("ends with its connection, and says how long it stood", () => {
    const { host } = watch(anUpdate({ ssh: sshClient }))
    const closed = anUpdate({ ssh: sshClient, reason: "closed", observedUs: at(7200) })
    const [ended] = host.step(at(7200), { connections: [closed] })
    expect(ended).toMatchObject({ status: "ended" })
    expect(ended?.summary).toContain("open for 2 hours")
  })

  it("has an age that the configuration sets", () => {
    const host = new DetectorRun(longLivedSsh({ afterSeconds: 30 }))
    host.step(startUs, { processes: [ssh], connections: [anUpdate({ ssh: sshClient })] })
    expect(host.step(at(29.9))).toEqual([])
    expect(host.step(at(30))).toHaveLength(1)
  })

  it("counts with one identification string, with less confidence", () => {
    const oneSide = { ...noSsh, remoteIdent: true }
    expect(watch(anUpdate({ ssh: oneSide })).due).toMatchObject([{ confidence: 0.7 }])
  })

  it("counts by name and port when it is older than the collector", () => {
    const older = anUpdate({ olderThanCollector: true, remote: { address: "203.0.113.9", port: 22 } })
    expect(watch(older).due).toMatchObject([{ confidence: 0.5 }])
  })
})

it("is looked at when it is due, and at no other tick, however many are watched", () => {
  const detector = longLivedSsh({ afterSeconds: 600 })
  const connections = Array.from({ length: 2_000 }, (_, i) => anUpdate({ cookie: `c${i}`, ssh: sshClient, openedUs: at(i / 10) })) // prettier-ignore
  const view = aView([], [ssh])
  for (const connection of connections)
    for (const change of view.apply(aBatch(2, { connections: [connection] }))) detector.observe(change, view)
  for (const change of view.apply(aBatch(3, { observedUs: at(650) }))) detector.observe(change, view)
  const looks = vi.spyOn(view, "connection")
  expect(detector.tick(at(650), view)).toHaveLength(501)
  expect(looks).toHaveBeenCalledTimes(501)
  expect(detector.tick(at(650.05), view)).toEqual([])
  expect(looks).toHaveBeenCalledTimes(501)
})

describe("who uses it", () => {
  it("is a person when there is a terminal", () => {
    const person = aProcess(["ssh", "host"], { hasTty: true })
    expect(watch(anUpdate({ ssh: sshClient }), [person]).due).toMatchObject([{ score: 0.3 }])
  })

  it("is nobody when ssh -f has left the terminal", () => {
    const gone = aProcess(["ssh", "-fN", "host"], { hasTty: true })
    expect(watch(anUpdate({ ssh: sshClient }), [gone]).due).toMatchObject([{ score: 0.6 }])
  })

  it.each([
    ["ssh host sleep 100000", 0.3, "for a command that its command line names"],
    ["ssh -t host tail -f /var/log/syslog", 0.3, "for a command that its command line names"],
    ["ssh -s host sftp", 0.3, "for a command that its command line names"],
    ["ssh -N -L 8080:localhost:80 host", 0.3, "used from this host"],
    ["ssh -fND 1080 host", 0.3, "used from this host"],
    ["ssh -N -o LocalForward=8080:localhost:80 host", 0.3, "used from this host"],
    ["ssh -W inner:22 host", 0.3, "as the way of another client"],
    ["ssh -MNf -S /tmp/cm host", 0.3, "as the master that other clients work through"],
    ["ssh -o ControlMaster=auto -o ControlPersist=60s host", 0.3, "as the master"],
    ["autossh -M 0 -N -L 5432:db:5432 host", 0.3, "used from this host"],
    ["plink -N -L 8080:localhost:80 host", 0.3, "used from this host"],
    ["ssh -N host", 0.6, "nobody on this host sits at it"],
    ["ssh host", 0.6, "nobody on this host sits at it"],
    ["ssh -N -L 1:a:1 -R 2:b:2 host", 0.6, "nobody on this host sits at it"],
    ["ssh -R 2:b:2 host sleep 9", 0.6, "nobody on this host sits at it"],
    ["kworkerd -N -L 1:a:1 host", 0.6, "nobody on this host sits at it"],
    ["python3 client.py host sleep 9", 0.6, "nobody on this host sits at it"],
  ])("%s: %f, %s", (line, score, text) => {
    const [claim] = watch(anUpdate({ ssh: sshClient }), [aProcess(line.split(" "))]).due
    expect(claim).toMatchObject({ score })
    expect(claim?.summary).toContain(text)
  })

  it("is this host when a forwarding used from here stands in a file", () => {
    const directive = (text: string) =>
      aProcess(["ssh", "-N", "db"], { sshForwards: [{ path: "/home/agent/.ssh/config", directive: text }] })
    expect(watch(anUpdate({ ssh: sshClient }), [directive("LocalForward 1 a:1")]).due).toMatchObject([{ score: 0.3 }])
    expect(watch(anUpdate({ ssh: sshClient }), [directive("RemoteForward 1 a:1")]).due).toMatchObject([{ score: 0.6 }])
  })

  it("is this host behind autossh, whose own echo is no way in", () => {
    const autossh = aProcess(["autossh", "-M", "20000", "-N", "-L", "1:a:1", "host"], { key: "4700:9" })
    const echo = ["-L", "20000:127.0.0.1:20000", "-R", "20000:127.0.0.1:20001"]
    const client = (words: readonly string[]) =>
      aProcess(["ssh", ...words, "-N", "-L", "1:a:1", "host"], { parent: "4700:9" })
    expect(watch(anUpdate({ ssh: sshClient }), [autossh, client(echo)]).due).toMatchObject([{ score: 0.3 }])
    expect(watch(anUpdate({ ssh: sshClient }), [autossh, client([...echo, "-R", "1:a:1"])]).due).toMatchObject([
      { score: 0.6 },
    ])
  })

  const git = aProcess(["git", "clone", "host:repo"], { key: "4700:9" })
  const child = aProcess(["ssh", "host"], { parent: "4700:9" })

  it("is a copy when its parent moves files, by name and by rate", () => {
    const bytes = 10_000 * 600
    const fast = anUpdate({ ssh: sshClient, bytesReceived: bytes, bytesSent: 0 })
    expect(watch(fast, [git, child]).due).toMatchObject([{ score: 0.25 }])
    const slow = anUpdate({ ssh: sshClient, bytesReceived: bytes - 1, bytesSent: 0 })
    expect(watch(slow, [git, child]).due).toMatchObject([{ score: 0.6 }])
  })
})

describe("quiet about", () => {
  const older = { olderThanCollector: true }
  it.each([
    ["what closed before", anUpdate({ ssh: sshClient, reason: "closed" })],
    ["no SSH", anUpdate()],
    ["SSH to the inside", anUpdate({ ssh: sshClient, remote: { address: "10.0.0.5", port: 22 } })],
    ["a login from outside", anUpdate({ ssh: sshClient, initiator: "remote" })],
    ["a server that dialled out, which is another claim", anUpdate({ ssh: sshServer })],
    ["port 22 alone, seen from its start", anUpdate({ remote: { address: "203.0.113.9", port: 22 } })],
    ["ssh by name alone on another port", anUpdate(older)],
  ])("%s", (_, update) => {
    const { due, repeated } = watch(update)
    expect([...due, ...repeated]).toEqual([])
  })

  it("another program on port 22 that is older than the collector", () => {
    const update = anUpdate({ ...older, remote: { address: "203.0.113.9", port: 22 } })
    expect(watch(update, [aProcess(["python3", "x.py"])]).due).toEqual([])
  })
})
