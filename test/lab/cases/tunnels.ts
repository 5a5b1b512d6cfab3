// Real SSH clients that let the outside in.
import type { ChildProcess } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Case, Lab, Run } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"
import { login, ssh, sshOptions } from "../ssh.js"

const tunnel = { class: ["reverse_tunnel"], exe: /\/ssh$/ }
let nextPort = 18000

/** Opens the tunnel, waits until its outside port listens, and sends requests through it. */
async function useTunnel(lab: Lab, port: number, client: ChildProcess, how: "http" | "socks" = "http"): Promise<Run> {
  await waitForPort(lab.network, "outside", port)
  const visitor = lab.network.python("outside", "visitor.py", `${port}`, ...(how === "socks" ? ["socks"] : []))
  const firstUs = await firstUseUs(visitor)
  await waitForSuccess(visitor)
  return { pids: [pidOf(client)], firstUs, end: stopAll(client) }
}

function forward(name: string, args: (port: number, lab: Lab) => readonly string[], how?: "socks"): Case {
  return {
    name,
    finds: tunnel,
    run: (lab) => {
      const port = nextPort++
      return useTunnel(lab, port, ssh(lab.network, ...args(port, lab)), how)
    },
  }
}

const service = "127.0.0.1:8000"

export const tunnels: readonly Case[] = [
  forward("ssh -R", (port) => ["-N", "-R", `${port}:${service}`, login]),
  forward("ssh -R on port 443", (port) => ["-N", "-p", "443", "-R", `${port}:${service}`, login]),
  forward("ssh -R glued to its value", (port) => ["-N", `-R${port}:${service}`, login]),
  forward("ssh -C -R, compressed", (port) => ["-C", "-N", "-R", `${port}:${service}`, login]),
  forward("ssh -R as a SOCKS proxy", (port) => ["-N", "-R", `${port}`, login], "socks"),
  forward("ssh -R to another host inside", (port) => ["-N", "-R", `${port}:${addresses.lan}:8000`, login]),
  forward("ssh with RemoteForward in a file", (port, lab) => {
    const file = join(lab.network.folder, `config-${port}`)
    writeFileSync(file, `Host far\n  HostName ${addresses.outside}\n  User root\n  RemoteForward ${port} ${service}\n`)
    return ["-N", "-F", file, "far"]
  }),
  forward("ssh -R through a ProxyCommand", (port) => [
    "-o",
    "ProxyCommand=nc %h %p",
    "-N",
    "-R",
    `${port}:${service}`,
    login,
  ]),
  forward("ssh -R over IPv6", (port) => ["-N", "-R", `${port}:${service}`, `root@${addresses.outside6}`]),
  {
    name: "ssh -f -R, in the background",
    finds: tunnel,
    run: async (lab) => {
      const port = nextPort++
      const client = ssh(lab.network, "-f", "-N", "-R", `${port}:${service}`, login)
      const run = await useTunnel(lab, port, client)
      const background = `ssh.*-R ${port}:`
      return { ...run, end: () => waitForSuccess(lab.network.start("inside", "pkill", "-f", background)) }
    },
  },
  {
    name: "ssh -R that nobody uses",
    finds: { class: ["tunnel_intent", "long_lived_ssh"], exe: /\/ssh$/ },
    run: async (lab) => {
      const port = nextPort++
      const client = ssh(lab.network, "-N", "-R", `${port}:${service}`, login)
      await waitForPort(lab.network, "outside", port)
      return { pids: [pidOf(client)], end: stopAll(client) }
    },
  },
  {
    name: "autossh -R",
    finds: tunnel,
    run: (lab) => {
      const port = nextPort++
      const args = ["-M", "0", "-N", ...sshOptions(lab.network), "-R", `${port}:${service}`, login]
      return useTunnel(lab, port, lab.network.start("inside", "autossh", ...args))
    },
  },
  {
    name: "dbclient -R",
    finds: { class: ["reverse_tunnel"], exe: /dbclient|dropbear/ },
    run: (lab) => {
      const port = nextPort++
      const key = join(lab.network.folder, "dropbear-key")
      return useTunnel(
        lab,
        port,
        lab.network.start("inside", "dbclient", "-y", "-y", "-i", key, "-N", "-R", `${port}:${service}`, login),
      )
    },
  },
]
