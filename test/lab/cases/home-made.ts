// One home-made tunnel in many forms: what it writes, what carries it, when it dials inside, and what goes on beside it.
import { join } from "node:path"
import type { Case, Lab } from "../case.js"
import { firstUseUs, pidOf, stopAll } from "../case.js"
import { addresses } from "../network.js"
import { waitForLine, waitForSuccess } from "../processes.js"

/** Options of programs/link.py, tunnel_in.py and tunnel_out.py. */
interface Form {
  readonly framing?: "plain" | "header" | "cells" | "zip" | "base64" | "http"
  readonly carrier?: "tcp" | "tls" | "websocket" | "halves" | "poll" | "longpoll" | "sse" | "udp"
  readonly opens?: "asked" | "eager" | "kept"
  readonly requests?: "varied" | "constant" | "one" | "bulk" | "pipelined" | "parallel"
  readonly split?: "socketpair" | "seqpacket" | "fifo" | "unix" | "loopback" | "datagrams"
  readonly delay?: number
  readonly chatter?: number
  readonly ping?: number
  readonly target?: string
  readonly address?: string
}

/** Each takes two: the next one is for what goes on beside the tunnel. */
let nextPort = 19000

function tunnel(name: string, form: Form): Case {
  return {
    name,
    finds: { class: ["reverse_tunnel"], exe: /python3/ },
    run: async (lab) => {
      const port = (nextPort += 2)
      const { address = addresses.outside, ...rest } = form
      const target = await targetOf(lab, rest.target, port)
      const words = Object.entries({ ...rest, target: target.path }).map(([key, value]) => `${key}=${value}`)
      const { network, certificate } = lab
      const outside = await network.serve("outside", "tunnel_out.py", `${port}`, certificate, ...words)
      const inside = network.python("inside", "tunnel_in.py", address, `${port}`, ...words)
      const firstUs = await firstUseUs(outside)
      await waitForSuccess(outside)
      return { pids: [pidOf(inside)], firstUs, tunnelPorts: [port], end: stopAll(inside, ...target.services) }
    },
  }
}

async function targetOf({ network }: Lab, target = "127.0.0.1:8000", port: number) {
  if (target !== "unix") return { path: target, services: [] }
  const path = join(network.folder, `service-${port}.sock`)
  const service = network.python("inside", "inside_service.py", "unix", path)
  await waitForLine(service, "listening")
  return { path, services: [service] }
}

export const homeMade: readonly Case[] = [
  tunnel("plain messages, requests of one size", { requests: "constant" }),
  tunnel("48 bytes before each message", { framing: "header" }),
  tunnel("websocket that carries messages", { carrier: "websocket" }),
  tunnel("down on one connection, up on another", { carrier: "halves" }),
  tunnel("one request", { requests: "one" }),
  tunnel("two other connections that report meanwhile", { chatter: 2 }),
  tunnel("to a unix socket", { target: "unix" }),
  tunnel("cells to a unix socket", { target: "unix", framing: "cells" }),
  tunnel("to a unix socket, kept and of one size", { target: "unix", opens: "kept", requests: "constant" }),
  tunnel("over UDP", { carrier: "udp" }),
  tunnel("two processes joined by a FIFO", { split: "fifo" }),
  tunnel("connection inside kept from before", { opens: "kept" }),
  tunnel("HTTP long poll, a connection each", { carrier: "longpoll" }),
  tunnel("messages in cells of 512 bytes", { framing: "cells" }),
  tunnel("compressed messages", { framing: "zip" }),
  tunnel("messages in base64", { framing: "base64" }),
  tunnel("messages in HTTP requests", { framing: "http" }),
  tunnel("0.4 s on the way", { delay: 0.4 }),
  tunnel("3 s on the way", { delay: 3, requests: "one" }),
  tunnel("dials inside before the outside speaks", { opens: "eager" }),
  tunnel("eager and of one size", { opens: "eager", requests: "constant" }),
  tunnel("kept and of one size", { opens: "kept", requests: "constant" }),
  tunnel("kept over TLS", { opens: "kept", carrier: "tls" }),
  tunnel("cells over TLS, requests of one size", { framing: "cells", carrier: "tls", requests: "constant" }),
  tunnel("TLS and compressed", { framing: "zip", carrier: "tls" }),
  tunnel("one request in TLS", { carrier: "tls", requests: "one" }),
  tunnel("many at once on one link", { requests: "parallel" }),
  tunnel("many in a row before the first answer", { requests: "pipelined" }),
  tunnel("one large download", { requests: "bulk" }),
  tunnel("one large download in TLS", { requests: "bulk", carrier: "tls" }),
  tunnel("keep-alives twice a second", { ping: 0.5 }),
  tunnel("keep-alives and three that report", { ping: 0.3, chatter: 3, carrier: "tls" }),
  tunnel("one that reports, requests of one size", { chatter: 1, requests: "constant" }),
  tunnel("HTTP poll ten times a second", { carrier: "poll" }),
  tunnel("event stream down, posts up", { carrier: "sse" }),
  tunnel("websocket, compressed, of one size", { carrier: "websocket", framing: "zip", requests: "constant" }),
  tunnel("over IPv6 in TLS", { carrier: "tls", address: addresses.outside6 }),
  tunnel("over UDP and IPv6, of one size", { carrier: "udp", address: addresses.outside6, requests: "constant" }),
  tunnel("UDP to a unix socket", { carrier: "udp", target: "unix" }),
  tunnel("to another host inside", { target: `${addresses.lan}:8000` }),
  tunnel("to another host inside, base64 in TLS", {
    target: `${addresses.lan}:8000`,
    framing: "base64",
    carrier: "tls",
  }),
  tunnel("two processes, unix socket pair of packets", { split: "seqpacket" }),
  tunnel("two processes, named unix socket", { split: "unix" }),
  tunnel("two processes, loopback TCP", { split: "loopback" }),
  tunnel("two processes, loopback datagrams", { split: "datagrams" }),
  tunnel("two processes, FIFO, over TLS", { split: "fifo", carrier: "tls" }),
  tunnel("halves, kept, of one size", { carrier: "halves", opens: "kept", requests: "constant" }),
]
