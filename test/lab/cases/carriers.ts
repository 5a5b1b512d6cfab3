// What is carried in names and echoes: relays that dial the local end of a carrier, and programs that only look up or ping.
import { execFileSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { setTimeout as pause } from "node:timers/promises"
import type { Case, Lab } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import type { LabNetwork, Machine } from "../network.js"
import { waitForSuccess } from "../processes.js"
import { sshOptions } from "../ssh.js"

let nextPort = 18_900

interface Carrier {
  readonly name: string
  readonly needs: readonly string[]
  /** Starts both ends: what dials `port` here comes out at `target` of the outside. */
  readonly start: (lab: Lab, port: number, target: number) => Promise<readonly ChildProcess[]>
}

async function waitForDatagrams(network: LabNetwork, machine: Machine, port: number): Promise<void> {
  const name = network.namespace(machine)
  const limit = Date.now() + 15_000
  while (execFileSync("ip", ["netns", "exec", name, "ss", "-Hlun", `sport = :${port}`], { encoding: "utf8" }) === "") {
    if (Date.now() > limit) throw new Error(`nothing takes datagrams on port ${port} of ${machine}`)
    await pause(30)
  }
}

/** On another machine inside, which hands names on to the outside. */
async function startResolver({ network }: Lab): Promise<ChildProcess> {
  const options = ["-k", "-C", "/dev/null", "-u", "root", "--no-resolv", "--no-hosts", "--cache-size=0", "--pid-file"]
  const resolver = network.start("lan", "dnsmasq", ...options, `--server=${addresses.outside}`)
  await waitForDatagrams(network, "lan", 53)
  return resolver
}

const echoes: Carrier = {
  name: "ptunnel-ng",
  needs: ["ptunnel-ng"],
  start: async ({ network }, port, target) => {
    // The kernel of the far side would answer by itself.
    await waitForSuccess(network.start("outside", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1"))
    const outside = network.start("outside", "ptunnel-ng")
    const client = network.start(
      "inside",
      "ptunnel-ng",
      `-p${addresses.outside}`,
      `-l${port}`,
      "-r127.0.0.1",
      `-R${target}`,
    )
    return [client, outside]
  },
}

function stopEchoes({ network }: Lab, ...children: readonly ChildProcess[]): () => Promise<void> {
  return async () => {
    await stopAll(...children)()
    await waitForSuccess(network.start("outside", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=0"))
  }
}

const finds = { class: ["reverse_tunnel"], exe: /python3|ptunnel-ng|\/ssh$/ }

/** A relay that dials loopback alone. */
function behind(carrier: Carrier, ...words: readonly string[]): Case {
  return {
    name: `relay behind ${[carrier.name, ...words].join(", ")}`,
    finds,
    needs: carrier.needs,
    endsDiffer: true,
    run: async (lab) => {
      const port = (nextPort += 2)
      const { network, certificate } = lab
      const outside = await network.serve("outside", "tunnel_out.py", `${port + 1}`, certificate, ...words)
      const ends = await carrier.start(lab, port, port + 1)
      await waitForPort(network, "inside", port)
      const relay = network.python("inside", "tunnel_in.py", "127.0.0.1", `${port}`, "target=127.0.0.1:8000", ...words)
      const firstUs = await firstUseUs(outside)
      await waitForSuccess(outside)
      return { pids: [relay, ...ends].map(pidOf), firstUs, end: stopEchoes(lab, relay, ...ends) }
    },
  }
}

/** An ordinary SSH client that dials loopback alone. */
function sshBehind(carrier: Carrier): Case {
  return {
    name: `ssh -R behind ${carrier.name}`,
    finds,
    needs: carrier.needs,
    endsDiffer: true,
    run: async (lab) => {
      const port = (nextPort += 2)
      const { network } = lab
      const ends = await carrier.start(lab, port, 22)
      await waitForPort(network, "inside", port)
      const forward = `${port + 1}:127.0.0.1:8000`
      const login = ["-N", "-p", `${port}`, "-R", forward, "root@127.0.0.1"]
      const ssh = network.start("inside", "ssh", ...sshOptions(network), ...login)
      await waitForPort(network, "outside", port + 1)
      const visitor = network.python("outside", "visitor.py", `${port + 1}`)
      const firstUs = await firstUseUs(visitor)
      await waitForSuccess(visitor)
      return { pids: [ssh, ...ends].map(pidOf), firstUs, end: stopEchoes(lab, ssh, ...ends) }
    },
  }
}

export const carriers: readonly Case[] = [behind(echoes), behind(echoes, "opens=kept"), sshBehind(echoes)]

function lookups(name: string, resolver: string, ...threads: readonly string[]): Case {
  return {
    name,
    needs: resolver === addresses.lan ? ["dnsmasq"] : [],
    run: async (lab) => {
      const outside = await lab.network.serve("outside", "names_server.py")
      const others = resolver === addresses.lan ? [await startResolver(lab)] : []
      const client = lab.network.python("inside", "names_client.py", resolver, ...threads)
      await waitForSuccess(client)
      return { pids: [pidOf(client)], end: stopAll(outside, ...others) }
    },
  }
}

const filter = ["hash-kept", "long-kept", "short-fresh", "long-fresh"]

export const besideCarriers: readonly Case[] = [
  lookups(
    "a filter that looks four kinds of names up at once, and keeps what it is told",
    addresses.outside,
    ...filter,
  ),
  lookups("the same by a resolver inside", addresses.lan, ...filter),
  lookups("long names looked up by a resolver inside, one after the other", addresses.lan, "long-fresh"),
  {
    name: "a monitor that pings, and keeps the answers",
    run: async ({ network }) => {
      const monitor = network.python("inside", "ping_monitor.py", addresses.outside)
      await waitForSuccess(monitor)
      return { pids: [pidOf(monitor)], end: stopAll() }
    },
  },
]
