// One ordinary consumer in many forms: what brings the messages, what it does with each, and what it answers.
import { join } from "node:path"
import type { Case } from "../case.js"
import { firstUseUs, pidOf, stopAll } from "../case.js"
import { addresses } from "../network.js"
import { waitForLine, waitForSuccess } from "../processes.js"

/** Options of programs/link.py, consumer.py and producer.py. */
interface Form {
  readonly carrier?: "tcp" | "tls" | "websocket" | "halves" | "poll" | "longpoll" | "sse" | "udp"
  readonly framing?: "header" | "cells" | "zip" | "http"
  readonly does?:
    | "store"
    | "store-fresh"
    | "store-unix"
    | "store-unix-fresh"
    | "file"
    | "fetch"
    | "fetch-lan"
    | "fetch-unix"
    | "engine"
    | "curl"
    | "job"
    | "notify"
    | "think"
  readonly answers?: "ack" | "none" | "status" | "digest"
  readonly sizes?: "varied" | "constant" | "large"
  readonly reports?: number
  readonly count?: number
  readonly pause?: number
}

/** Each takes two: the next one is for what it reports on. */
let nextPort = 21000

/** What is at the unix socket that a consumer uses. */
const atUnixSocket: Readonly<Record<string, string>> = {
  "fetch-unix": "unix",
  engine: "unix",
  "store-unix": "unix-db",
  "store-unix-fresh": "unix-db",
}

function consumer(name: string, form: Form): Case {
  return {
    name,
    run: async ({ network, certificate }) => {
      const port = (nextPort += 2)
      const path = join(network.folder, `consumer-${port}.sock`)
      const words = Object.entries({ ...form, target: path }).map(([key, value]) => `${key}=${value}`)
      const kind = atUnixSocket[form.does ?? ""]
      const service = kind === undefined ? [] : [network.python("inside", "inside_service.py", kind, path)]
      for (const one of service) await waitForLine(one, "listening")
      const outside = await network.serve("outside", "producer.py", `${port}`, certificate, ...words)
      const inside = network.python("inside", "consumer.py", addresses.outside, `${port}`, ...words)
      const firstUs = await firstUseUs(outside)
      await Promise.all([waitForSuccess(outside), waitForSuccess(inside)])
      return { pids: [pidOf(inside)], firstUs, end: stopAll(...service) }
    },
  }
}

export const consumers: readonly Case[] = [
  consumer("subscriber that stores, one size, acknowledges", { does: "store", sizes: "constant" }),
  consumer("subscriber that stores over a fresh connection", { does: "store-fresh" }),
  consumer("websocket client that stores and says nothing", { carrier: "websocket", does: "store", answers: "none" }),
  consumer("event stream that is stored, posts a status", { carrier: "sse", does: "store-fresh", answers: "status" }),
  consumer("long-polling consumer that stores and commits", { carrier: "longpoll", does: "store" }),
  consumer("worker that fetches inside and posts a digest", { does: "fetch", answers: "digest", carrier: "tls" }),
  consumer("runner of jobs by long poll", { carrier: "longpoll", does: "job", answers: "status" }),
  consumer("worker that fetches from a unix socket", { does: "fetch-unix", answers: "status" }),
  consumer("agent of a container engine at a unix socket", { does: "engine", answers: "status" }),
  consumer("agent of a container engine that reports in TLS", { does: "engine", answers: "digest", carrier: "tls" }),
  consumer("websocket client with a database at a unix socket", { carrier: "websocket", does: "store-unix" }),
  consumer("subscriber with a fresh connection to a unix socket", { does: "store-unix-fresh", answers: "status" }),
  consumer("client of UDP that stores", { carrier: "udp", does: "store" }),
  consumer("subscriber with two connections that report", { does: "store", reports: 2 }),
  consumer("replica that stores large pieces", { does: "store", sizes: "large", count: 8, carrier: "tls" }),
  consumer("replica that stores large pieces over fresh connections", {
    does: "store-fresh",
    sizes: "large",
    count: 8,
  }),
  consumer("price feed, thirty a second, stored", {
    does: "store",
    answers: "none",
    sizes: "constant",
    count: 90,
    pause: 0.03,
  }),
  consumer("price feed, thirty a second, not stored", { answers: "none", sizes: "constant", count: 90, pause: 0.03 }),
  consumer("websocket client that writes a file", { carrier: "websocket", does: "file" }),
  consumer("websocket client that fetches on another host", {
    carrier: "websocket",
    does: "fetch-lan",
    answers: "status",
  }),
  consumer("poller that stores, fresh connections", { carrier: "poll", does: "store-fresh" }),
  consumer("poller that fetches and posts a status", { carrier: "poll", does: "fetch", answers: "status" }),
  consumer("event stream that only shows", { carrier: "sse", answers: "none" }),
  consumer("event stream that fetches", { carrier: "sse", does: "fetch", answers: "digest" }),
  consumer("worker whose curl fetches, digest back", { does: "curl", answers: "digest" }),
  consumer("runner of jobs over a websocket", { carrier: "websocket", does: "job", answers: "status" }),
  consumer("runner of jobs in TLS with reports", { carrier: "tls", does: "job", answers: "ack", reports: 1 }),
  consumer("hub that tells programs of this host", { does: "notify" }),
  consumer("hub in TLS that tells programs of this host", { carrier: "tls", does: "notify", answers: "none" }),
  consumer("compressed feed that is stored", { framing: "zip", does: "store", carrier: "tls" }),
  consumer("feed in cells that is stored", { framing: "cells", does: "store-fresh", carrier: "tls" }),
  consumer("feed of HTTP posts that is stored", { framing: "http", does: "store" }),
  consumer("worker with down and up apart", { carrier: "halves", does: "fetch", answers: "status" }),
  consumer("UDP client that fetches", { carrier: "udp", does: "fetch", answers: "status" }),
  consumer("long poll that fetches on another host", { carrier: "longpoll", does: "fetch-lan", answers: "digest" }),
]
