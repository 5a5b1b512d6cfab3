// Tunnel tools of the registries, and small relays that are put together from what every host has.
import type { ChildProcess } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Case, Lab } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"

/** Each takes four. */
let nextPort = 20000
const outside = addresses.outside

/** What was started outside and inside, and the port outside on which a visitor is let in. */
interface Tool {
  readonly far: readonly ChildProcess[]
  readonly near: ChildProcess
  readonly entrance: number
}

type Requests = "varied" | "constant" | "one"

interface ToolCase {
  readonly name: string
  readonly exe: RegExp
  readonly needs: readonly string[]
  readonly requests?: Requests
  readonly start: (lab: Lab, port: number) => Promise<Tool>
}

function tool({ name, exe, needs, requests = "varied", start }: ToolCase): Case {
  return {
    name,
    finds: { class: ["reverse_tunnel"], exe },
    needs,
    run: async (lab) => {
      const port = (nextPort += 4)
      const { far, near, entrance } = await start(lab, port)
      await waitForPort(lab.network, "outside", entrance)
      const visitor = lab.network.python("outside", "visitor.py", `${entrance}`, requests)
      const firstUs = await firstUseUs(visitor)
      await waitForSuccess(visitor)
      return { pids: [pidOf(near)], firstUs, tunnelPorts: [port], end: stopAll(near, ...far) }
    },
  }
}

function file({ network }: Lab, name: string, text: string): string {
  const path = join(network.folder, name)
  if (!existsSync(path)) writeFileSync(path, text)
  return path
}

/** The relay dials out once for each visitor, and again when it was used up: socat and shells in a loop. */
function onceEach(
  name: string,
  exe: RegExp,
  needs: readonly string[],
  command: (port: number) => string,
  requests: Requests = "one",
): Case {
  return tool({
    name,
    exe,
    needs,
    requests,
    start: async ({ network }, port) => {
      const meeting = ["-d", `TCP-LISTEN:${port},reuseaddr`, `TCP-LISTEN:${port + 1},reuseaddr`]
      const far = network.start("outside", "socat", ...meeting)
      await waitForPort(network, "outside", port)
      return { far: [far], near: network.start("inside", "bash", "-c", command(port)), entrance: port + 1 }
    },
  })
}

function frp(name: string, settings: string, requests: Requests): Case {
  return tool({
    name,
    exe: /frpc/,
    needs: ["frps", "frpc"],
    requests,
    start: async (lab, port) => {
      const server = file(lab, `frps-${port}.toml`, `bindPort = ${port}\n`)
      const proxy = `[[proxies]]\nname = "web"\ntype = "tcp"\nlocalIP = "127.0.0.1"\nlocalPort = 8000\nremotePort = ${port + 1}\n`
      const client = file(
        lab,
        `frpc-${port}.toml`,
        `serverAddr = "${outside}"\nserverPort = ${port}\n${settings}\n${proxy}`,
      )
      const far = lab.network.start("outside", "frps", "-c", server)
      await waitForPort(lab.network, "outside", port)
      return { far: [far], near: lab.network.start("inside", "frpc", "-c", client), entrance: port + 1 }
    },
  })
}

const nodeRelay = (port: number): string =>
  `const net = require("node:net"), far = net.connect(${port}, "${outside}"); far.once("data", (first) => {` +
  ` const near = net.connect(8000, "127.0.0.1"); near.write(first); far.pipe(near); near.pipe(far) })`

export const tools: readonly Case[] = [
  onceEach(
    "socat from outside to inside",
    /socat/,
    [],
    (port) => `exec socat TCP:${outside}:${port} TCP:127.0.0.1:8000`,
  ),
  onceEach(
    "two nc and a FIFO",
    /nc/,
    [],
    (port) => `mkfifo pipe-${port}; nc ${outside} ${port} < pipe-${port} | nc 127.0.0.1 8000 > pipe-${port}`,
  ),
  onceEach("node that pipes two sockets", /node/, [], (port) => {
    return `exec ${process.execPath} -e '${nodeRelay(port)}'`
  }),
  onceEach("ncat that runs ncat", /ncat/, ["ncat"], (port) => `exec ncat ${outside} ${port} -c 'ncat 127.0.0.1 8000'`),
  onceEach(
    "bash on two sockets of its own",
    /bash|cat/,
    [],
    (port) => `exec 3<>/dev/tcp/${outside}/${port} 4<>/dev/tcp/127.0.0.1/8000; cat <&4 >&3 & cat <&3 >&4`,
  ),
  frp("frp", "", "varied"),
  frp("frp without TLS, requests of one size", "transport.tls.enable = false", "constant"),
  frp("frp in its WebSocket", 'transport.protocol = "websocket"', "varied"),
  frp("frp with a pool of connections", "transport.poolCount = 3", "varied"),
  tool({
    name: "rathole",
    exe: /rathole/,
    needs: ["rathole"],
    start: async (lab, port) => {
      const token = `default_token = "lab"`
      const server = file(
        lab,
        `rathole-server-${port}.toml`,
        `[server]\nbind_addr = "0.0.0.0:${port}"\n${token}\n[server.services.web]\nbind_addr = "0.0.0.0:${port + 1}"\n`,
      )
      const client = file(
        lab,
        `rathole-client-${port}.toml`,
        `[client]\nremote_addr = "${outside}:${port}"\n${token}\n[client.services.web]\nlocal_addr = "127.0.0.1:8000"\n`,
      )
      const far = lab.network.start("outside", "rathole", "--server", server)
      await waitForPort(lab.network, "outside", port)
      return { far: [far], near: lab.network.start("inside", "rathole", "--client", client), entrance: port + 1 }
    },
  }),
  tool({
    name: "bore",
    exe: /bore/,
    needs: ["bore"],
    start: async ({ network }, port) => {
      const far = network.start("outside", "bore", "server", "--min-port", `${port}`)
      // Its control port is fixed.
      await waitForPort(network, "outside", 7835)
      const words = ["local", "8000", "--to", outside, "--port", `${port + 1}`]
      return { far: [far], near: network.start("inside", "bore", ...words), entrance: port + 1 }
    },
  }),
  tool({
    name: "chisel",
    exe: /chisel/,
    needs: ["chisel"],
    start: async ({ network }, port) => {
      const far = network.start("outside", "chisel", "server", "--reverse", "--port", `${port}`)
      await waitForPort(network, "outside", port)
      const words = ["client", `http://${outside}:${port}`, `R:${port + 1}:127.0.0.1:8000`]
      return { far: [far], near: network.start("inside", "chisel", ...words), entrance: port + 1 }
    },
  }),
  tool({
    name: "stunnel in front of ssh -R",
    exe: /ssh|stunnel/,
    needs: ["stunnel4"],
    start: async (lab, port) => {
      const { network, certificate } = lab
      const both = "foreground = yes\npid =\nsyslog = no\n"
      const server = file(
        lab,
        `stunnel-far-${port}`,
        `${both}[s]\naccept = ${port}\nconnect = 127.0.0.1:22\ncert = ${certificate}\n`,
      )
      const client = file(
        lab,
        `stunnel-near-${port}`,
        `${both}[c]\nclient = yes\naccept = 127.0.0.1:${port}\nconnect = ${outside}:${port}\n`,
      )
      const far = network.start("outside", "stunnel4", server)
      await waitForPort(network, "outside", port)
      const options = `-i ${join(network.folder, "user-key")} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o BatchMode=yes`
      const forward = `-N -R ${port + 1}:127.0.0.1:8000 -p ${port} root@127.0.0.1`
      const ready = `until ss -Hltn "sport = :${port}" | grep -q .; do sleep 0.05; done`
      const near = network.start("inside", "sh", "-c", `stunnel4 ${client} & ${ready}; exec ssh ${options} ${forward}`)
      return { far: [far], near, entrance: port + 1 }
    },
  }),
]
