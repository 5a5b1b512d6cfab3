// Services that are inside for a reason of their own, far ends in an overlay, and one relay in two processes.
import { join } from "node:path"
import type { ChildProcess } from "node:child_process"
import type { Case, Lab, Run } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import type { LabNetwork, Machine } from "../network.js"
import { waitForLine, waitForSuccess } from "../processes.js"
import { sshOptions } from "../ssh.js"

let nextPort = 19100

/** Documentation networks that stand for public ones of the watched host's own link, and an address of an overlay. */
const own = "198.51.100.2"
const neighbour = "198.51.100.1"
const own6 = "2001:db8:78::2"
const neighbour6 = "2001:db8:78::1"
const shared = "100.64.7.9"

async function ip(network: LabNetwork, machine: Machine, ...args: readonly string[]): Promise<void> {
  await waitForSuccess(network.start(machine, "ip", ...args))
}

/** The link to the gateway has a public network as well. */
async function publicLink(network: LabNetwork): Promise<void> {
  await ip(network, "inside", "address", "replace", `${own}/24`, "dev", "wire")
  await ip(network, "gateway", "address", "replace", `${neighbour}/24`, "dev", "inside")
  await ip(network, "inside", "address", "replace", `${own6}/64`, "dev", "wire", "nodad")
  await ip(network, "gateway", "address", "replace", `${neighbour6}/64`, "dev", "inside", "nodad")
}

/** The outside host has an address that only an overlay would give it. */
async function sharedAddress(network: LabNetwork): Promise<void> {
  await ip(network, "outside", "address", "replace", `${shared}/32`, "dev", "wire")
  await ip(network, "gateway", "route", "replace", `${shared}/32`, "via", addresses.outside)
}

async function listening(child: ChildProcess): Promise<ChildProcess> {
  await waitForLine(child, "listening")
  return child
}

/** What a case needs beside the relay, and where the relay is to lead. */
interface Setting {
  readonly place: string
  readonly outside?: string
  readonly beside?: readonly ChildProcess[]
}

async function used(lab: Lab, port: number, start: () => Promise<readonly ChildProcess[]>): Promise<Run> {
  const outside = await lab.network.serve("outside", "relay_user.py", "stream", `${port}`)
  const programs = await start()
  const firstUs = await firstUseUs(outside)
  await waitForSuccess(outside)
  return { pids: programs.map(pidOf), firstUs, end: stopAll(...programs) }
}

function relay(name: string, prepare: (network: LabNetwork, port: number) => Promise<Setting>): Case {
  return {
    name,
    finds: { class: ["reverse_tunnel"], exe: /python3/ },
    run: async (lab) => {
      const { network } = lab
      const port = nextPort++
      const { place, outside = addresses.outside, beside = [] } = await prepare(network, port)
      const run = await used(lab, port, () =>
        Promise.resolve([network.python("inside", "places.py", "relay", outside, `${port}`, place)]),
      )
      return {
        ...run,
        end: async () => {
          await run.end()
          await stopAll(...beside)()
        },
      }
    },
  }
}

function serviceAt(name: string, kind: "serve" | "serve-datagrams", place: "unix" | "datagrams"): Case {
  return relay(name, async (network, port) => {
    const path = join(network.folder, `service-${port}`)
    const service = await listening(network.python("inside", "places.py", kind, path))
    return { place: `${place}:${path}`, beside: [service] }
  })
}

/** The half that dials inside calls the half that holds the outside. */
function twoHalves(name: string, meetingOf: (network: LabNetwork, port: number) => string): Case {
  return {
    name,
    finds: { class: ["reverse_tunnel"], exe: /python3/ },
    run: (lab) => {
      const { network } = lab
      const port = nextPort++
      const meeting = meetingOf(network, nextPort++)
      return used(lab, port, async () => {
        const front = network.python("inside", "places.py", "front", addresses.outside, `${port}`, meeting)
        await listening(front)
        return [front, network.python("inside", "places.py", "back", meeting, "tcp:127.0.0.1:8000")]
      })
    },
  }
}

export const insidePlaces: readonly Case[] = [
  relay("relay to the host's own public address", async (network) => {
    await publicLink(network)
    return { place: `tcp:${own}:8000` }
  }),
  relay("relay to a neighbour with a public address", async (network, port) => {
    await publicLink(network)
    const service = await network.serve("gateway", "inside_service.py", "http", `${port}`)
    return { place: `tcp:${neighbour}:${port}`, beside: [service] }
  }),
  relay("relay to a neighbour with a global IPv6 address", async (network, port) => {
    await publicLink(network)
    const service = network.start(
      "gateway",
      "socat",
      `TCP6-LISTEN:${port},fork,reuseaddr`,
      `TCP4:${addresses.inside}:8000`,
    )
    await waitForPort(network, "gateway", port)
    return { place: `tcp:${neighbour6}:${port}`, beside: [service] }
  }),
  relay("relay to a far end with a shared address", async (network) => {
    await sharedAddress(network)
    return { place: "tcp:127.0.0.1:8000", outside: shared }
  }),
  serviceAt("relay to a unix service, from a socket with a name", "serve", "unix"),
  serviceAt("relay to a unix datagram service", "serve-datagrams", "datagrams"),
  twoHalves("relay in two processes, the inner one calls by loopback TCP", (_, port) => `meeting:${port}`),
  twoHalves(
    "relay in two processes, the inner one calls by a unix socket",
    (network, port) => `unix:${join(network.folder, `meeting-${port}`)}`,
  ),
  {
    name: "relay through a proxy on the same host",
    finds: { class: ["reverse_tunnel"], exe: /python3/ },
    run: (lab) => {
      const { network } = lab
      const [port, proxyPort] = [nextPort++, nextPort++]
      return used(lab, port, async () => {
        const proxy = await listening(network.python("inside", "places.py", "proxy", `${proxyPort}`))
        const target = ["through", `${proxyPort}`, addresses.outside, `${port}`, "tcp:127.0.0.1:8000"]
        return [network.python("inside", "places.py", ...target), proxy]
      })
    },
  },
  {
    name: "ssh -R to a shared address",
    finds: { class: ["reverse_tunnel"], exe: /\/ssh$/ },
    run: async ({ network }) => {
      await sharedAddress(network)
      const port = nextPort++
      const options = [...sshOptions(network), "-N", "-R", `${port}:127.0.0.1:8000`, `root@${shared}`]
      const client = network.start("inside", "ssh", ...options)
      await waitForPort(network, "outside", port)
      const visitor = network.python("outside", "visitor.py", `${port}`)
      const firstUs = await firstUseUs(visitor)
      await waitForSuccess(visitor)
      return { pids: [pidOf(client)], firstUs, end: stopAll(client) }
    },
  },
]

function client(
  name: string,
  prepare: (network: LabNetwork, port: number) => Promise<{ args: readonly string[]; beside?: ChildProcess }>,
): Case {
  return {
    name,
    run: async ({ network }) => {
      const { args, beside } = await prepare(network, nextPort++)
      const program = network.python("inside", "places_client.py", ...args)
      await waitForSuccess(program)
      return { pids: [pidOf(program)], end: stopAll(...(beside ? [beside] : [])) }
    },
  }
}

const site = [addresses.outside, "8001"]

export const ordinaryPlaces: readonly Case[] = [
  client("web application with a database at a unix socket and an interface outside", async (network, port) => {
    const path = join(network.folder, `database-${port}`)
    const beside = await listening(network.python("inside", "places.py", "serve", path))
    return { args: ["web", ...site, path], beside }
  }),
  client("browser at a site outside and at one of a neighbour with a public address", async (network, port) => {
    await publicLink(network)
    const beside = await network.serve("gateway", "inside_service.py", "http", `${port}`)
    return { args: ["both", ...site, neighbour, `${port}`], beside }
  }),
  client("client of an overlay that works inside as well", async (network) => {
    await sharedAddress(network)
    return { args: ["both", shared, "8001", "127.0.0.1", "8000"] }
  }),
  client("client that asks by a proxy on the same host", async (network, port) => {
    const beside = await listening(network.python("inside", "places.py", "proxy", `${port}`))
    return { args: ["proxied", `${port}`, ...site, "127.0.0.1", "8000"], beside }
  }),
  client("client that logs answers at a unix datagram socket", async (network, port) => {
    const path = join(network.folder, `log-${port}`)
    const beside = await listening(network.python("inside", "places.py", "serve-datagrams", path))
    return { args: ["logger", ...site, path], beside }
  }),
]
