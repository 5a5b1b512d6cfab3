// Words that ask for a shell or a tunnel, and scripts of every day that use the same words for something else.
import type { Case, Lab, Run } from "../case.js"
import { pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"
import { login, sshOptions } from "../ssh.js"

const { outside } = addresses
let nextPort = 19600

/** One inline script, as CI runners, probes and entry points give it; a web server outside answers on `port`. */
function script(name: string, text: (port: number) => string, program: readonly string[] = ["bash", "-c"]): Case {
  return {
    name,
    run: async ({ network }): Promise<Run> => {
      const port = nextPort++
      const server = network.start("outside", "python3", "-m", "http.server", "-d", "/usr/share", `${port}`)
      await waitForPort(network, "outside", port)
      const [command = "bash", ...options] = program
      const child = network.start("inside", command, ...options, text(port))
      await waitForSuccess(child)
      return { pids: [pidOf(child)], end: stopAll(server) }
    },
  }
}

/** A program that is given these words and asked for a way in; nobody uses it. */
function asks(name: string, exe: RegExp, words: (lab: Lab) => readonly [string, ...string[]]): Case {
  return {
    name,
    finds: { class: ["tunnel_intent"], exe },
    run: ({ network, certificate }) => {
      const child = network.start("inside", ...words({ network, certificate }))
      return Promise.resolve({ pids: [pidOf(child)], end: stopAll(child) })
    },
  }
}

const many = Array.from({ length: 150 }, (_, i) => ["-o", `SendEnv=SOME_LONG_VARIABLE_${i}`]).flat()

export const intentScripts: readonly Case[] = [
  asks("ssh -R behind more options than the kernel gives", /\bssh$/, ({ network }) => [
    "ssh",
    ...sshOptions(network),
    ...many,
    "-N",
    "-R",
    "19599:127.0.0.1:8000",
    login,
  ]),
  asks("ssh -R in a loop, refused each time", /\bssh$/, ({ network }) => [
    "bash",
    "-c",
    `for i in 1 2 3 4 5 6; do ssh "$@" || sleep 0.5; done; sleep 5`,
    "loop",
    ...sshOptions(network),
    "-p",
    "19598",
    "-N",
    "-R",
    "19597:127.0.0.1:8000",
    login,
  ]),
  script(
    "/dev/tcp as a probe of ports",
    (port) =>
      `for i in 1 2 3 4; do timeout 2 bash -c "echo > /dev/tcp/${outside}/${port}"; timeout 2 bash -c "</dev/tcp/${outside}/22"; sleep 0.2; done`,
  ),
  script(
    "/dev/tcp for a request, its answer and errors to a file",
    (port) =>
      `for i in 1 2 3; do exec 3<>/dev/tcp/${outside}/${port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3 > /tmp/lab-intent 2>&1; exec 3>&-; done; rm /tmp/lab-intent`,
  ),
  script(
    "a step that asks a local port, logs to stderr, then downloads",
    (port) =>
      `exec 3<>/dev/tcp/127.0.0.1/8000; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3 >&2; exec 3>&-; bash -c 'curl -sf -o /dev/null http://${outside}:${port}/'; sleep 1`,
  ),
  script(
    "python that waits for a port and then starts a shell script",
    (port) =>
      `import socket,subprocess\ns=socket.create_connection(("${outside}",${port}))\ns.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n");s.recv(99);s.close()\nsubprocess.run(["sh","-c","sleep 1"])`,
    ["python3", "-c"],
  ),
  script(
    "a named pipe for logs beside openssl and a shell",
    (port) =>
      `p=$(mktemp -u); mkfifo $p; cat < $p > /dev/null & sh -c 'echo built' > $p 2>&1; openssl s_client -connect ${outside}:${port} < /dev/null > /dev/null 2>&1; rm $p; sleep 0.5`,
  ),
]
