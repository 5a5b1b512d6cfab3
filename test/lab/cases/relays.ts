// Home-made relays, and an SSH server that dials out.
import { join } from "node:path"
import type { Case } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"
import { sshOptions } from "../ssh.js"

let nextPort = 18100

interface Relay {
  readonly kind: string
  readonly user: "stream" | "mux" | "control"
  readonly address?: string
}

function relay(name: string, { kind, user, address = addresses.outside }: Relay): Case {
  return {
    name,
    finds: { class: ["reverse_tunnel"], exe: /python3/ },
    run: async ({ network, certificate }) => {
      const port = nextPort++
      const outside = await network.serve(
        "outside",
        "relay_user.py",
        user,
        `${port}`,
        ...(kind === "tls" ? [certificate] : []),
      )
      const client = network.python("inside", "relay.py", kind, address, `${port}`)
      const firstUs = await firstUseUs(outside)
      await waitForSuccess(outside)
      return { pids: [pidOf(client)], firstUs, end: stopAll(client) }
    },
  }
}

export const relays: readonly Case[] = [
  relay("relay with splice", { kind: "splice", user: "stream" }),
  relay("relay with two threads", { kind: "threads", user: "stream" }),
  relay("relay in TLS", { kind: "tls", user: "stream" }),
  relay("relay with eight channels at once", { kind: "mux", user: "mux" }),
  relay("relay with a connection per channel", { kind: "control", user: "control" }),
  relay("relay over two processes, socket pair", { kind: "split-socketpair", user: "stream" }),
  relay("relay over two processes, pipes", { kind: "split-pipes", user: "stream" }),
  relay("relay over IPv6", { kind: "threads", user: "stream", address: addresses.outside6 }),
  relay("relay to a v4-mapped address", { kind: "threads", user: "stream", address: `::ffff:${addresses.outside}` }),
  {
    name: "sshd that dials out",
    finds: { class: ["ssh_role_inversion"], exe: /sshd|socat/ },
    run: async ({ network }) => {
      const [far, near] = [nextPort++, nextPort++]
      // Outside, one socat joins the connection that comes from inside with one that an ssh client opens.
      const meeting = network.start("outside", "socat", `TCP-LISTEN:${far},reuseaddr`, `TCP-LISTEN:${near},reuseaddr`)
      await waitForPort(network, "outside", far)
      const server = `/usr/sbin/sshd -i -f ${join(network.folder, "sshd_config")}`
      const client = network.start("inside", "socat", `TCP:${addresses.outside}:${far}`, `EXEC:${server}`)
      await waitForPort(network, "outside", near)
      const firstUs = Date.now() * 1000
      const login = [...sshOptions(network), "-p", `${near}`, "root@127.0.0.1", "id"]
      await waitForSuccess(network.start("outside", "ssh", ...login))
      return { pids: [pidOf(client)], firstUs, end: stopAll(client, meeting) }
    },
  },
]

/** A short relay whose finding tells that everything before it has been judged. */
export const canary = relay("canary", { kind: "threads", user: "stream" })
