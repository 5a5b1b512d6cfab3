import { describe, expect, it } from "vitest"
import { aProcess } from "../../testing/processes.js"
import { isAgentOrDisplay, isControlSocket, isDisplayPort, isForwardedAgent } from "./sockets.js"

describe("the socket of an agent or of a display", () => {
  it.each([
    "/tmp/ssh-V8mu4XBFOK/agent.1885",
    "/home/me/.ssh/agent/s.abcdef.agent.xyz",
    "/run/user/1000/keyring/ssh",
    "/run/user/1000/keyring/.ssh",
    "/run/user/1000/gcr/ssh",
    "/run/user/1000/gnupg/S.gpg-agent.ssh",
    "/run/user/1000/gnupg/d.abc/S.gpg-agent",
    "/run/user/1000/ssh-agent.socket",
    "/run/user/1000/vscode-ssh-auth-sock-12",
    "/home/me/.1password/agent.sock",
    "/home/me/.bitwarden-ssh-agent.sock",
    "/tmp/.X11-unix/X0",
    "@/tmp/.X11-unix/X12",
  ])("is %s", (path) => {
    expect(isAgentOrDisplay(path)).toBe(true)
  })

  it.each([
    "/run/docker.sock",
    "/var/run/postgresql/.s.PGSQL.5432",
    "/tmp/ssh-x/other",
    "/tmp/.X11-unix/X0/../../run/docker.sock",
    "/tmp/agent.1885/docker.sock",
    "/tmp/.X11-unix/Xyz",
    "",
  ])("is not %s", (path) => {
    expect(isAgentOrDisplay(path)).toBe(false)
  })
})

it("knows ports of displays", () => {
  expect([5_999, 6_000, 6_010, 6_100].map(isDisplayPort)).toEqual([false, true, true, false])
})

describe("the socket by which clients share a master", () => {
  const bound = ".sNbIGdVbNco1nI2o"
  it.each([
    ["ssh -S /tmp/cm host", "/tmp/cm"],
    ["ssh -S /tmp/cm host", `/tmp/cm${bound}`],
    ["ssh -o ControlPath=/tmp/m-%C host", `/tmp/m-ad7957cb55073a465deaaabb95b9f37a5f52880c${bound}`],
    ["ssh -o ControlPath=~/.ssh/%r@%h-%p host", `/root/.ssh/root@host-22${bound}`],
    ["ssh -o ControlPath=/root/.ansible/cp/0a1b2c host ls", `/root/.ansible/cp/0a1b2c${bound}`],
  ])("of %s is %s", (line, path) => {
    expect(isControlSocket(path, aProcess(line.split(" ")))).toBe(true)
  })

  it("of ansible, which quotes the path", () => {
    const ansible = aProcess(["ssh", "-C", "-o", "ControlMaster=auto", "-o", 'ControlPath="/root/.ansible/cp/58d563ba47"', "h", "/bin/sh -c 'sleep 0'"]) // prettier-ignore
    expect(isControlSocket("/root/.ansible/cp/58d563ba47.XCn72bbZQDBGenvA", ansible)).toBe(true)
  })

  it("of one that has renamed itself is the path in its name", () => {
    const master = aProcess(["ssh: /root/.ansible/cp/0a1b [mux]"], { exe: "/usr/bin/ssh" })
    expect(isControlSocket("/root/.ansible/cp/0a1b", master)).toBe(true)
    expect(isControlSocket("/root/.ansible/cp/ffff", master)).toBe(false)
  })

  it("of one whose configuration has it is there too", () => {
    const sshForwards = [{ path: "/root/.ssh/config", directive: "ControlPath ~/.ssh/cm-%r@%h:%p" }]
    expect(isControlSocket("/root/.ssh/cm-me@host:22", aProcess(["ssh", "host"], { sshForwards }))).toBe(true)
    expect(isControlSocket("/root/.ssh/cm", aProcess(["ssh", "-S", "/tmp/cm", "host"], { sshForwards }))).toBe(false)
  })

  it.each([
    ["ssh host", "/tmp/cm"],
    ["ssh -S none host", "none"],
    ["ssh -S /tmp/cm host", "/run/docker.sock"],
    ["ssh -S /tmp/cm host", "/tmp/cm.docker"],
    ["ssh -o ControlPath=/tmp/m-%C host", "/tmp/m-x/docker.sock"],
    ["ssh -o ControlPath=%d/%h host", "/run/a/b/docker.sock"],
    ["ssh -R 1:/run/docker.sock host", "/run/docker.sock"],
    ["relay -S /run/docker.sock host", "/run/docker.sock"],
  ])("of %s is not %s", (line, path) => {
    expect(isControlSocket(path, aProcess(line.split(" ")))).toBe(false)
  })
})

describe("an agent at a path of its own", () => {
  const own = "/home/me/run/my.sock"
  it.each([
    ["ssh -A host", own, true],
    ["ssh -o ForwardAgent=yes host", own, true],
    ["ssh -o ForwardAgent=/home/me/run/my.sock host", own, true],
    ["ssh -o ForwardAgent=/home/me/run/other.sock host", own, false],
    ["ssh -A -o IdentityAgent=/home/me/run/other.sock host", own, false],
    ["ssh -A -R 1:/run/docker.sock host", own, false],
    ["ssh host", own, false],
    ["ssh -A host", "", false],
  ])("%s may let the far side use %s: %s", (line, path, expected) => {
    expect(isForwardedAgent(path, aProcess(line.split(" ")))).toBe(expected)
  })
})
