// Relays in two processes that something joins, and programs that only run beside each other or hand on in one direction.
import { execFileSync } from "node:child_process"
import { mkdtempSync } from "node:fs"
import { join } from "node:path"
import type { Case } from "../case.js"
import { firstUseUs, pidOf, stopAll } from "../case.js"
import { addresses } from "../network.js"
import type { LabNetwork } from "../network.js"
import { waitForSuccess } from "../processes.js"

let nextPort = 18900

function freshFolder(network: LabNetwork, fifos: readonly string[]): string {
  const folder = mkdtempSync(join(network.folder, "joined-"))
  if (fifos.length > 0)
    execFileSync(
      "mkfifo",
      fifos.map((name) => join(folder, name)),
    )
  return folder
}

interface Halves {
  readonly channel: string
  readonly fifos?: readonly string[]
  /** Processes that hold ends too. */
  readonly others?: readonly string[]
}

function relay(name: string, { channel, fifos = [], others = [] }: Halves): Case {
  return {
    name: `relay over two processes, ${name}`,
    finds: { class: ["reverse_tunnel"], exe: /python3/ },
    run: async ({ network }) => {
      const [port, folder] = [nextPort++, freshFolder(network, fifos)]
      const outside = await network.serve("outside", "relay_user.py", "stream", `${port}`)
      const beside = others.map((half) => network.python("inside", "joined.py", half, channel, folder))
      const front = network.python("inside", "joined.py", "front", channel, folder, addresses.outside, `${port}`)
      const back = network.python("inside", "joined.py", "back", channel, folder)
      const firstUs = await firstUseUs(outside)
      await waitForSuccess(outside)
      return { pids: [front, back].map(pidOf), firstUs, end: stopAll(front, back, ...beside) }
    },
  }
}

const bothWays = ["there", "back"]

export const joinedRelays: readonly Case[] = [
  relay("named pipes opened both ways", { channel: "fifos", fifos: bothWays }),
  relay("named pipes that three bystanders hold", {
    channel: "fifos",
    fifos: bothWays,
    others: ["bystander", "bystander", "bystander"],
  }),
  relay("a ring of three", { channel: "ring", fifos: ["there", "on", "round"], others: ["middle"] }),
  relay("a named socket", { channel: "socket" }),
  relay("named datagram sockets", { channel: "datagrams" }),
  relay("a terminal on which nothing runs", { channel: "terminal" }),
  relay("a System V queue", { channel: "queue" }),
  relay("files in a folder", { channel: "folder" }),
  relay("shared memory", { channel: "memory" }),
]

function beside(name: string, other: string): Case {
  return {
    name,
    run: async ({ network, certificate }) => {
      const [port, folder] = [nextPort++, freshFolder(network, bothWays)]
      const outside = await network.serve("outside", "feed.py", "push", `${port}`, certificate)
      const partner = network.python("inside", "joined.py", other, "fifos", folder)
      const subscriber = network.python(
        "inside",
        "joined.py",
        "subscriber",
        "fifos",
        folder,
        addresses.outside,
        `${port}`,
      )
      await waitForSuccess(outside)
      return { pids: [subscriber, partner].map(pidOf), end: stopAll(subscriber, partner) }
    },
  }
}

export const besideEachOther: readonly Case[] = [
  beside("subscriber that hands on what a worker stores inside", "worker"),
  beside("subscriber beside a program that asks inside on a timer", "poller"),
]
