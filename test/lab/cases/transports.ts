// Relays over other transports than a plain TCP socket, and ordinary programs that use the same ones.
import type { Case } from "../case.js"
import { firstUseUs, pidOf, runBoth, stopAll } from "../case.js"
import { addresses } from "../network.js"
import { waitForLine, waitForSuccess } from "../processes.js"

let nextPort = 18700

type FarEnd = "tcp" | "mptcp" | "fast-open" | "udp" | "udplite"

function relay(name: string, kind: string, farEnd: FarEnd): Case {
  return {
    name,
    finds: { class: ["reverse_tunnel"], exe: /python3/ },
    run: async ({ network }) => {
      const port = nextPort++
      const outside = await network.serve("outside", "transports_user.py", farEnd, `${port}`)
      const client = network.python("inside", "transports.py", kind, addresses.outside, `${port}`)
      const firstUs = await firstUseUs(outside)
      await waitForSuccess(outside)
      return { pids: [pidOf(client)], firstUs, end: stopAll(client) }
    },
  }
}

export const transportRelays: readonly Case[] = [
  relay("relay whose outside half is MPTCP, far end without", "mptcp-out", "tcp"),
  relay("relay whose inside half is MPTCP", "mptcp-in", "tcp"),
  relay("relay in MPTCP on both sides", "mptcp", "mptcp"),
  relay("relay in TCP fast open on both sides", "fast-open", "fast-open"),
  relay("relay in UDP, first datagram to somebody inside", "udp-decoy", "udp"),
  relay("relay in UDP, first datagram to somebody inside, then connected", "udp-decoy-connected", "udp"),
  relay("relay in UDP, spoken to from inside first", "udp-greeted", "udp"),
  relay("relay in UDP among datagrams to a crowd", "udp-crowd", "udp"),
  relay("relay in UDP-Lite", "udplite", "udplite"),
]

function client(name: string, kind: string): Case {
  return {
    name,
    run: async ({ network }) => {
      const port = (nextPort += 20)
      const outside = await network.serve("outside", "transports_feed.py", "servers", `${port}`)
      const inside = network.python("inside", "transports_client.py", kind, addresses.outside, `${port}`)
      return runBoth(outside, inside, await firstUseUs(outside))
    },
  }
}

export const transportClients: readonly Case[] = [
  {
    name: "MPTCP client that stores downloads",
    run: async ({ network }) => {
      const inside = network.python("inside", "transports_client.py", "downloads", addresses.outside, "8001")
      await waitForSuccess(inside)
      return { pids: [pidOf(inside)], end: stopAll(inside) }
    },
  },
  client("UDP resolver with twelve servers outside", "resolver"),
  client("UDP client that stores what it fetches", "fetcher"),
  client("UDP sender of measurements", "aggregator"),
  {
    name: "UDP server that answers strangers from a database",
    run: async ({ network }) => {
      const port = (nextPort += 20)
      const server = network.python("inside", "transports_client.py", "server", addresses.outside, `${port}`)
      await waitForLine(server, "listening")
      const strangers = network.python("outside", "transports_feed.py", "strangers", `${port}`, addresses.inside)
      return runBoth(strangers, server)
    },
  },
]
