// VPNs that let the outside in and VPNs that only go out, user-mode networks, and ICMP that carries or only asks.
import type { ChildProcess } from "node:child_process"
import type { Case, Lab } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import type { Machine } from "../network.js"
import { waitForLine, waitForSuccess } from "../processes.js"
import { login, sshOptions } from "../ssh.js"

let nextNumber = 1

interface Vpn {
  /** Of the inside end and of the outside end, in the tunnel. */
  readonly own: string
  readonly peer: string
  readonly client: ChildProcess
  readonly server: ChildProcess
}

async function startVpn({ network }: Lab): Promise<Vpn> {
  const number = nextNumber++
  const [own, peer, port] = [`10.88.${number}.2`, `10.88.${number}.1`, `${18700 + number}`]
  const server = await network.serve("outside", "vpn.py", "tun9", peer, own, "listen", port)
  const client = network.python("inside", "vpn.py", "tun9", own, peer, "dial", addresses.outside, port)
  await Promise.all([waitForLine(client, "up"), waitForLine(server, "up")])
  return { own, peer, client, server }
}

/** The watched host stands between the network behind the VPN and the other machine inside. */
async function routeThrough({ network }: Lab, { own, peer, client, server }: Vpn): Promise<() => Promise<void>> {
  const ip = (machine: Machine, ...words: string[]) => waitForSuccess(network.start(machine, "ip", ...words))
  const forwarding = (value: number) =>
    waitForSuccess(network.start("inside", "sysctl", "-qw", `net.ipv4.ip_forward=${value}`))
  await forwarding(1)
  await ip("outside", "route", "replace", addresses.lan, "via", own, "dev", "tun9")
  await ip("gateway", "route", "replace", peer, "via", addresses.inside)
  return async () => {
    await stopAll(client, server)()
    await ip("gateway", "route", "delete", peer)
    await forwarding(0)
  }
}

const fetches = (url: string) =>
  [90, 20000, 700, 4000].map((size) => `curl -sf -m 5 -o /dev/null ${url}/bytes/${size}`).join("; sleep 0.1; ")

/** A container's network namespace behind slirp4netns, in which `script` runs. */
async function rootless({ network }: Lab, script: string): Promise<{ container: ChildProcess; stack: ChildProcess }> {
  const container = network.start(
    "inside",
    "unshare",
    "--net",
    "sh",
    "-ec",
    `echo ready; while ! ip -br address show dev tap0 2>/dev/null | grep -q 10.0.2.100; do sleep 0.05; done; ip link set lo up; ${script}`,
  )
  await waitForLine(container, "ready")
  const stack = network.start("inside", "slirp4netns", "--configure", "--mtu=1400", `${pidOf(container)}`, "tap0")
  return { container, stack }
}

export const tunnelDevices: readonly Case[] = [
  {
    name: "VPN client, the outside asks a service of this host through it",
    finds: { class: ["reverse_tunnel"], exe: /python/ },
    run: async (lab) => {
      const vpn = await startVpn(lab)
      const service = await lab.network.serve("inside", "inside_service.py", "http", "8003")
      const firstUs = Date.now() * 1000
      await waitForSuccess(lab.network.start("outside", "sh", "-ec", fetches(`http://${vpn.own}:8003`)))
      return { pids: [pidOf(vpn.client)], firstUs, end: stopAll(vpn.client, vpn.server, service) }
    },
  },
  {
    name: "VPN client that passes the outside on to another machine",
    endsDiffer: true,
    finds: { class: ["reverse_tunnel"], exe: /python/ },
    run: async (lab) => {
      const vpn = await startVpn(lab)
      const undo = await routeThrough(lab, vpn)
      // A tunnel stands before it is used.
      await waitForSuccess(lab.network.start("outside", "sleep", "1.5"))
      const firstUs = Date.now() * 1000
      await waitForSuccess(lab.network.start("outside", "sh", "-ec", fetches(`http://${addresses.lan}:8000`)))
      return { pids: [pidOf(vpn.client)], firstUs, end: undo }
    },
  },
  {
    name: "relay over ICMP echo",
    endsDiffer: true,
    finds: { class: ["reverse_tunnel"], exe: /python/ },
    run: async ({ network }) => {
      // The kernel of the far side would answer by itself.
      await waitForSuccess(network.start("outside", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1"))
      const outside = await network.serve("outside", "icmp_relay.py", "outside", "8")
      const relay = network.python("inside", "icmp_relay.py", "inside", addresses.outside, "8000")
      const firstUs = await firstUseUs(outside)
      await waitForSuccess(outside)
      await waitForSuccess(network.start("outside", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=0"))
      return { pids: [pidOf(relay)], firstUs, end: stopAll(relay) }
    },
  },
  {
    name: "ssh -R behind slirp4netns, to a service of the host",
    needs: ["slirp4netns"],
    endsDiffer: true,
    finds: { class: ["reverse_tunnel"], exe: /\/ssh$/ },
    run: async (lab) => {
      const port = 18790
      const options = sshOptions(lab.network).join(" ")
      const ssh = `exec ssh ${options} -N -R ${port}:10.0.2.2:8000 ${login}`
      const { container, stack } = await rootless(lab, ssh)
      await waitForPort(lab.network, "outside", port)
      const visitor = lab.network.python("outside", "visitor.py", `${port}`)
      const firstUs = await firstUseUs(visitor)
      await waitForSuccess(visitor)
      return { pids: [pidOf(container)], firstUs, end: stopAll(container, stack) }
    },
  },
]

export const benignTunnelDevices: readonly Case[] = [
  {
    name: "VPN client that only dials out, and is pinged",
    needs: ["ping"],
    run: async (lab) => {
      const vpn = await startVpn(lab)
      await waitForSuccess(lab.network.start("inside", "sh", "-ec", fetches(`http://${vpn.peer}:8001`)))
      await waitForSuccess(lab.network.start("outside", "ping", "-c", "5", "-i", "0.2", vpn.own))
      return { pids: [pidOf(vpn.client)], end: stopAll(vpn.client, vpn.server) }
    },
  },
  {
    name: "VPN client by which another machine asks the outside",
    run: async (lab) => {
      const vpn = await startVpn(lab)
      const undo = await routeThrough(lab, vpn)
      await waitForSuccess(lab.network.start("lan", "sh", "-ec", fetches(`http://${vpn.peer}:8001`)))
      return { pids: [pidOf(vpn.client)], end: undo }
    },
  },
  {
    name: "VPN client whose closed ports are tried",
    run: async (lab) => {
      const vpn = await startVpn(lab)
      const tries = [21, 23, 443].map((port) => `! nc -z -w 1 ${vpn.own} ${port}`).join("; ")
      await waitForSuccess(lab.network.start("outside", "sh", "-ec", tries))
      await waitForSuccess(lab.network.start("inside", "sh", "-ec", fetches(`http://${vpn.peer}:8001`)))
      return { pids: [pidOf(vpn.client)], end: stopAll(vpn.client, vpn.server) }
    },
  },
  {
    name: "pings of several sizes while programs fetch inside",
    needs: ["ping"],
    run: async ({ network }) => {
      const ping = (size: number) => `ping -q -c 15 -i 0.2 -s ${size} ${addresses.outside}`
      const step = `${ping(56)} & ${ping(900)} & ${fetches("http://127.0.0.1:8000")}; wait`
      const child = network.start("inside", "sh", "-ec", step)
      await waitForSuccess(child)
      return { pids: [pidOf(child)], end: stopAll() }
    },
  },
  {
    name: "rootless container behind slirp4netns that downloads and asks a service of the host",
    needs: ["slirp4netns"],
    run: async (lab) => {
      const steps = `${fetches(`http://${addresses.outside}:8001`)}; ${fetches("http://10.0.2.2:8000")}; ${fetches(`http://${addresses.outside}:8001`)}`
      const { container, stack } = await rootless(lab, steps)
      await waitForSuccess(container)
      return { pids: [pidOf(container), pidOf(stack)], end: stopAll(stack) }
    },
  },
]
