import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { forwardDirective, parseSshArgv } from "./argv.js"
import { assumedGrammar as openssh, sshGrammarOf } from "./programs.js"

const words = (line: string) => line.split(" ")
const parse = (line: string, grammar = openssh) => parseSshArgv(words(line), grammar)
const kinds = (line: string) => parse(line).forwards.map(({ kind }) => kind)

describe("a remote forwarding is read from", () => {
  it.each([
    ["ssh -R8080:localhost:80 host", "-R8080:localhost:80"],
    ["ssh -R 8080:localhost:80 host", "-R 8080:localhost:80"],
    ["ssh -NR 8080:localhost:80 host", "-NR 8080:localhost:80"],
    ["ssh -fNR8080:localhost:80 host", "-fNR8080:localhost:80"],
    ["ssh -NfR 0 host", "-NfR 0"],
    ["ssh -R0 host", "-R0"],
    ["ssh -N host -R 8080:localhost:80", "-R 8080:localhost:80"],
    ["ssh -p 443 -i key -l me -R 1080 host", "-R 1080"],
    ["ssh -p443 -4NTR/tmp/s:/run/docker.sock host", "-4NTR/tmp/s:/run/docker.sock"],
    ["ssh -- host -R 8080:localhost:80", "-R 8080:localhost:80"],
    ["ssh -oRemoteForward=8080 host", "-oRemoteForward=8080"],
    ["ssh -o remoteforward=8080:localhost:80 host", "-o remoteforward=8080:localhost:80"],
    ["ssh -No REMOTEFORWARD=8080 host", "-No REMOTEFORWARD=8080"],
    ["ssh -O forward -R 8080:localhost:80 host", "-R 8080:localhost:80"],
  ])("%s", (line, text) => {
    expect(parse(line).forwards).toMatchObject([{ kind: "remote-forward", text }])
  })

  it("an option whose key and value a space divides", () => {
    const argv = ["ssh", "-o", "RemoteForward 8080 localhost:80", "host"]
    expect(parseSshArgv(argv, openssh).forwards).toHaveLength(1)
  })

  it.each(["ssh -w 0:0 host", "ssh -Nw any host", "ssh -o Tunnel=yes host", "ssh -oTunnel=ethernet host"])(
    "%s",
    (line) => {
      expect(kinds(line)).toEqual(["tun"])
    },
  )

  it("every one of several", () => {
    expect(kinds("ssh -R 1:a:1 -NR2:b:2 -w0 host")).toEqual(["remote-forward", "remote-forward", "tun"])
  })
})

describe("no remote forwarding is read from", () => {
  it.each([
    "ssh host",
    "ssh -L 8080:localhost:80 host",
    "ssh -NL8080:R:80 host",
    "ssh -D 1080 host",
    "ssh -J R host",
    "ssh -J jump -W host:22 gate",
    "ssh -oLogLevel=ERROR host",
    "ssh -o LogLevel=ERROR -o ServerAliveInterval=30 host",
    "ssh -iR host",
    "ssh -l -R host",
    "ssh -F -R host",
    "ssh host ls -R /",
    "ssh host grep -R8080:a:1 /etc",
    "ssh host -- ls -R",
    "ssh -t host -v rsync -R a b",
    "ssh -o Tunnel=no host",
    "ssh -o ClearAllForwardings=yes -R 8080:localhost:80 host",
    "ssh -W inner:22 -R 8080:localhost:80 host",
    "ssh -G -R 8080:localhost:80 host",
    "ssh -O cancel -R 8080:localhost:80 host",
    "ssh -O exit -R1 host",
    "ssh -R",
    "ssh -oRemoteForward= host",
  ])("%s", (line) => {
    expect(parse(line).forwards).toEqual([])
  })
})

it("finds whether the client leaves its terminal", () => {
  expect(parse("ssh -fN -p 443 me@host -R 1 ls")).toMatchObject({ background: true })
  expect(parse("ssh -N host")).toMatchObject({ background: false })
  expect(parse("ssh -W f:22 host")).toMatchObject({ background: false })
})

describe("other clients", () => {
  const forwardsOf = (line: string) => {
    const argv = words(line)
    const grammar = sshGrammarOf({ exe: `/usr/bin/${argv[0] ?? ""}`, argv })
    return grammar && parseSshArgv(argv, grammar).forwards.length
  }

  it.each([
    ["autossh -M 0 -f -N -R 8080:localhost:80 host", 1],
    ["autossh -M0 -NR8080:localhost:80 host", 1],
    ["autossh -M -R host", 0],
    ["ssh -M -R 1 host", 1],
    ["dbclient -y -K 30 -R 8080:localhost:80 host", 1],
    ["dbclient -W 65536 -R 8080:localhost:80 host", 1],
    ["dbclient -J -R host", 0],
    ["dbclient -L 8080:localhost:80 host", 0],
  ])("%s: %i", (line, count) => {
    expect(forwardsOf(line)).toBe(count)
  })
})

describe("forwardDirective", () => {
  it.each([
    ["RemoteForward 8080 localhost:80", "remote-forward"],
    ["  remoteforward = 8080", "remote-forward"],
    ['"RemoteForward" "8080"', "remote-forward"],
    ["Tunnel point-to-point", "tun"],
    ["Tunnel no", undefined],
    ["LocalForward 8080 localhost:80", undefined],
    ["DynamicForward 1080", undefined],
    ["RemoteForwardX 8080", undefined],
    ["#RemoteForward 8080", undefined],
  ])("%s", (line, kind) => {
    expect(forwardDirective(line)?.kind).toBe(kind)
  })
})

it("reads any words without fault, and nothing behind the command of the far side", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("-R", "-", "--", "-o", "-NR1", "-p", "host", "-W", "RemoteForward=1"),
  )
  fc.assert(
    fc.property(fc.array(word), fc.array(word), (before, after) => {
      const { forwards } = parseSshArgv(["ssh", ...before, "-p", "22", "host", "command", ...after], openssh)
      const alone = parseSshArgv(["ssh", ...before, "-p", "22", "host", "command"], openssh)
      expect(forwards).toEqual(alone.forwards)
    }),
  )
})
