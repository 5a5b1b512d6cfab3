import { describe, expect, it } from "vitest"
import { aProcess } from "../../testing/processes.js"
import { forwardsAgent, forwardsDisplay, isAutosshEcho, isMultiplexingMaster, sshUseOf } from "./use.js"

const client = (line: string, ...directives: string[]) =>
  aProcess(line.split(" "), {
    sshForwards: directives.map((directive) => ({ path: "/etc/ssh/ssh_config", directive })),
  })

it.each([
  ["ssh host uptime", "command"],
  ["ssh -N -L 1:a:1 host", "local-forward"],
  ["ssh -D 1080 host", "local-forward"],
  ["ssh -W a:22 host", "stdio-forward"],
  ["ssh -M -N host", "master"],
  ["ssh host", "session"],
  ["ssh -N host", "idle"],
  ["ssh -o SessionType=none host", "idle"],
  ["dbclient -N -L 1:a:1 host", "local-forward"],
  ["dbclient -W 65536 host", "session"],
  ["plink -nc a:22 host", "local-forward"],
  ["plink host uptime", "command"],
])("%s is used for: %s", (line, use) => {
  expect(sshUseOf(client(line))).toBe(use)
})

describe("a master that others work through", () => {
  it.each([
    "ssh -M host",
    "ssh -fNM -S /tmp/x host",
    "ssh -oControlMaster=auto host ls",
    "ssh -o ControlMaster=yes host",
  ])("%s", (line) => {
    expect(isMultiplexingMaster(client(line))).toBe(true)
  })

  it("by the name that it gives itself, and by its file", () => {
    expect(isMultiplexingMaster(aProcess(["ssh: /root/.ansible/cp/0a1b [mux]"], { exe: "/usr/bin/ssh" }))).toBe(true)
    expect(isMultiplexingMaster(client("ssh host", "ControlMaster auto"))).toBe(true)
    expect(isMultiplexingMaster(client("ssh -o ControlMaster=no host", "ControlMaster auto"))).toBe(false)
  })

  it.each(["ssh host", "ssh -o ControlMaster=no host", "ssh -S /tmp/x host", "autossh -M 0 host", "ssh host -- -M"])(
    "but not %s",
    (line) => {
      expect(isMultiplexingMaster(client(line))).toBe(false)
    },
  )
})

it.each([
  ["ssh -A host", [], true],
  ["ssh -o ForwardAgent=yes host", [], true],
  ["ssh -o ForwardAgent=/run/agent.sock host", [], true],
  ["ssh host", ["ForwardAgent yes"], true],
  ["ssh -a host", ["ForwardAgent yes"], false],
  ["ssh -o ForwardAgent=no host", ["ForwardAgent yes"], false],
  ["ssh host -A", [], true],
  ["ssh host ls -A", [], false],
])("%s with %j forwards the agent: %s", (line, directives, expected) => {
  expect(forwardsAgent(client(line, ...directives))).toBe(expected)
})

it.each([
  ["ssh -X host", [], true],
  ["ssh -Y host", [], true],
  ["ssh -o ForwardX11=yes host", [], true],
  ["ssh host", ["ForwardX11 yes"], true],
  ["ssh -x host", ["ForwardX11 yes"], false],
  ["ssh host", ["ForwardX11 no"], false],
])("%s with %j forwards the display: %s", (line, directives, expected) => {
  expect(forwardsDisplay(client(line, ...directives))).toBe(expected)
})

it("knows the place at which autossh listens for its own probe", () => {
  const ssh = (line: string) => aProcess(line.split(" "), { parent: "1:1" })
  const autossh = aProcess(["autossh", "-M", "20000", "host"], { key: "1:1" })
  const probing = ssh("ssh -L 20000:127.0.0.1:20000 -R 20000:127.0.0.1:20001 host")
  const echo = { address: "127.0.0.1", port: 20_001 }
  expect(isAutosshEcho(echo, probing, autossh)).toBe(true)
  expect(isAutosshEcho({ ...echo, port: 20_000 }, probing, autossh)).toBe(false)
  expect(isAutosshEcho({ ...echo, address: "10.0.0.5" }, probing, autossh)).toBe(false)
  expect(isAutosshEcho(echo, probing, aProcess(["bash"]))).toBe(false)
  expect(isAutosshEcho(echo, ssh("ssh -R 20000:127.0.0.1:20001 host"), autossh)).toBe(false)
  expect(isAutosshEcho(echo, ssh("ssh -L 20000:127.0.0.1:20000 -R 20000:127.0.0.1:22 host"), autossh)).toBe(false)
})
