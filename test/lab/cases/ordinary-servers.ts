// Servers, proxies, editors, probes and transfers: programs that hold an outside and an inside connection for reasons of their own.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Case, Lab } from "../case.js"
import { firstUseUs, pidOf, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import type { Machine } from "../network.js"
import { waitForSuccess } from "../processes.js"

let nextPort = 22000
const outside = addresses.outside
const far = `http://${outside}:8001/bytes`
const near = "http://127.0.0.1:8000/bytes"

interface Side {
  readonly machine: Machine
  readonly command: readonly [string, ...string[]]
  /** It is waited for until it listens there. */
  readonly port?: number
}

interface Ordinary {
  readonly name: string
  readonly needs?: readonly string[]
  readonly services?: (port: number, lab: Lab) => readonly Side[]
  /** A shell script on the watched host, which must end well. */
  readonly script: (port: number, lab: Lab) => string
}

function ordinary({ name, needs = [], services = () => [], script }: Ordinary): Case {
  return {
    name,
    needs,
    run: async (lab) => {
      const port = (nextPort += 3)
      const { network } = lab
      const started = []
      for (const { machine, command, port: awaited } of services(port, lab)) {
        started.push(network.start(machine, ...command))
        if (awaited !== undefined) await waitForPort(network, machine, awaited)
      }
      const child = network.start("inside", "bash", "-ec", script(port, lab))
      await waitForSuccess(child)
      return { pids: [pidOf(child), ...started.map(pidOf)], end: stopAll(...started) }
    },
  }
}

function written({ network }: Lab, name: string, text: string): string {
  const path = join(network.folder, name)
  writeFileSync(path, text)
  return path
}

const fetches = (url: string, options = ""): string =>
  [10, 500, 30000, 77, 4000].map((size) => `curl -sf -m 9 -o /dev/null ${options} ${url}/${size}`).join("; ")

const redis = (port: number): readonly [string, ...string[]] => [
  "redis-server",
  ...["--port", `${port}`, "--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0"],
]
const mosquitto = (port: number, lab: Lab): readonly [string, ...string[]] => [
  "mosquitto",
  "-c",
  written(lab, `mosquitto-${port}`, `listener ${port}\nallow_anonymous true\n`),
]

export const ordinaryServers: readonly Case[] = [
  {
    name: "editor with a terminal pane and a server outside",
    run: async ({ network }) => {
      const port = (nextPort += 3)
      const server = await network.serve("outside", "chatty_server.py", `${port}`)
      const editor = network.python("inside", "editor.py", outside, `${port}`)
      await waitForSuccess(editor)
      return { pids: [pidOf(editor)], end: stopAll(server) }
    },
  },
  ordinary({
    name: "probes of ports inside while a connection stands",
    services: (port) => [{ machine: "outside", command: ["socat", `TCP-LISTEN:${port},reuseaddr`, "EXEC:cat"], port }],
    script: (port) =>
      `exec 3<>/dev/tcp/${outside}/${port}; for p in 8000 6000 9 7 8000; do (echo > /dev/tcp/127.0.0.1/$p) 2> /dev/null && echo open $p >&3 || true; sleep 0.2; done; nc -z 127.0.0.1 8000; exec 3>&-`,
  }),
  ordinary({
    name: "script that waits for a port, then uploads",
    script: () =>
      `until (echo > /dev/tcp/127.0.0.1/8000) 2> /dev/null; do sleep 0.2; done; ${fetches(near)}; head -c 200000 /dev/urandom | curl -sf -m 9 -o /dev/null -X PUT --data-binary @- http://${outside}:8001/upload`,
  }),
  ordinary({
    name: "subscriber of a redis outside that fills one inside",
    needs: ["redis-server", "redis-cli"],
    services: (port) => [
      { machine: "outside", command: redis(port), port },
      { machine: "inside", command: redis(port + 1), port: port + 1 },
    ],
    script: (port) =>
      `(timeout 3 redis-cli -h ${outside} -p ${port} subscribe news | while read -r line; do redis-cli -p ${port + 1} set last "$line" > /dev/null; done) & child=$!; ` +
      `for i in 1 2 3 4 5 6; do sleep 0.2; redis-cli -h ${outside} -p ${port} publish news "message number $i" > /dev/null; done; wait $child; redis-cli -p ${port + 1} get last > /dev/null`,
  }),
  ordinary({
    name: "replica of a redis outside",
    needs: ["redis-server", "redis-cli"],
    services: (port) => [
      { machine: "outside", command: redis(port), port },
      { machine: "inside", command: redis(port + 1), port: port + 1 },
    ],
    script: (port) =>
      `redis-cli -p ${port + 1} replicaof ${outside} ${port} > /dev/null; for i in 1 2 3 4 5 6; do redis-cli -h ${outside} -p ${port} set k$i $(head -c $((i * 300)) /dev/zero | tr '\\0' x) > /dev/null; sleep 0.2; done; ` +
      `until test "$(redis-cli -p ${port + 1} exists k6)" = 1; do sleep 0.1; done`,
  }),
  ordinary({
    name: "mosquitto_sub outside, mosquitto_pub inside",
    needs: ["mosquitto", "mosquitto_sub", "mosquitto_pub"],
    services: (port, lab) => [
      { machine: "outside", command: mosquitto(port, lab), port },
      { machine: "inside", command: mosquitto(port + 1, lab), port: port + 1 },
    ],
    script: (port) =>
      `(mosquitto_sub -h ${outside} -p ${port} -t orders -C 5 | while read -r line; do mosquitto_pub -p ${port + 1} -t seen -m "$line"; done) & child=$!; sleep 0.6; ` +
      `for i in 1 2 3 4 5; do mosquitto_pub -h ${outside} -p ${port} -t orders -m "order $i $(date)"; sleep 0.15; done; wait $child`,
  }),
  ordinary({
    name: "haproxy in front of inside and outside",
    needs: ["haproxy"],
    services: (port, lab) => [
      {
        machine: "inside",
        command: [
          "haproxy",
          "-db",
          "-f",
          written(
            lab,
            `haproxy-${port}`,
            `defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n` +
              `listen a\n  bind :${port}\n  server s 127.0.0.1:8000 check inter 500\nlisten b\n  bind :${port + 1}\n  server s ${outside}:8001 check inter 500\n`,
          ),
        ],
        port,
      },
    ],
    script: (port) => `${fetches(`http://127.0.0.1:${port}/bytes`)}; ${fetches(`http://127.0.0.1:${port + 1}/bytes`)}`,
  }),
  ordinary({
    name: "stunnel as a client of a service outside",
    needs: ["stunnel4"],
    services: (port, lab) => {
      const both = "foreground = yes\npid =\nsyslog = no\n"
      const server = `${both}[s]\naccept = ${port}\nconnect = 127.0.0.1:8001\ncert = ${lab.certificate}\n`
      const client = `${both}[c]\nclient = yes\naccept = 127.0.0.1:${port + 1}\nconnect = ${outside}:${port}\n`
      return [
        { machine: "outside", command: ["stunnel4", written(lab, `stunnel-s-${port}`, server)], port },
        { machine: "inside", command: ["stunnel4", written(lab, `stunnel-c-${port}`, client)], port: port + 1 },
      ]
    },
    script: (port) => fetches(`http://127.0.0.1:${port + 1}/bytes`),
  }),
  ordinary({
    name: "socat as a forwarder to a service outside",
    services: (port) => [
      {
        machine: "inside",
        command: ["socat", `TCP-LISTEN:${port},fork,reuseaddr`, `TCP:${outside}:8001`],
        port,
      },
    ],
    script: (port) => fetches(`http://127.0.0.1:${port}/bytes`),
  }),
  ordinary({
    name: "monitoring that scrapes inside and pushes outside",
    script: () =>
      `for i in 1 2 3 4 5 6; do n=$(curl -sf ${near}/$((i * 300)) | wc -c); curl -sf -o /dev/null "${far}/20?value=$n"; sleep 0.2; done`,
  }),
  ordinary({
    name: "syslog forwarder to outside",
    services: (port) => [
      { machine: "outside", command: ["socat", "-u", `TCP-LISTEN:${port},reuseaddr`, "OPEN:/dev/null"], port },
      { machine: "inside", command: ["socat", "-u", `UDP-RECV:${port + 1}`, `TCP:${outside}:${port}`] },
    ],
    script: (port) =>
      `sleep 0.3; for i in $(seq 20); do echo "<13>line $i of something" > /dev/udp/127.0.0.1/${port + 1}; sleep 0.05; done`,
  }),
  ordinary({
    name: "backup of a database inside to outside",
    services: (port) => [
      { machine: "outside", command: ["socat", "-u", `TCP-LISTEN:${port},reuseaddr`, "OPEN:/dev/null"], port },
    ],
    script: (port) =>
      `exec 3<>/dev/tcp/127.0.0.1/6000; echo ROWS 800000 >&3; head -c 800000 <&3 | gzip | nc -N ${outside} ${port}`,
  }),
  ordinary({
    name: "mirror that downloads and publishes inside",
    script: () =>
      `exec 3<>/dev/tcp/127.0.0.1/6000; for n in 40000 90000 5000; do curl -sf ${far}/$n > piece-$$; echo SET $n >&3; cat piece-$$ >&3; head -c 4 <&3 > /dev/null; done; rm piece-$$`,
  }),
  ordinary({
    name: "parallel downloads while a local service is asked",
    script: () =>
      `for i in 1 2 3 4; do curl -sf -m 20 -o /dev/null ${far}/300000 & pids="$pids $!"; done; ${fetches(near)}; for p in $pids; do wait $p; done`,
  }),
  ordinary({
    name: "rsync daemon outside",
    services: (port, lab) => {
      const settings = `use chroot = no\n[files]\npath = /etc\nread only = yes\n`
      const words = [
        "--daemon",
        "--no-detach",
        `--port=${port}`,
        `--config=${written(lab, `rsyncd-${port}`, settings)}`,
      ]
      return [{ machine: "outside", command: ["rsync", ...words], port }]
    },
    script: (port, { network }) =>
      `rsync -a rsync://${outside}:${port}/files/services ${network.folder}/rsynced-${port}; test -s ${network.folder}/rsynced-${port}`,
  }),
  ordinary({
    name: "wget that mirrors",
    needs: ["wget"],
    script: () => `for n in 100 5000 77 30000; do wget -q -O /dev/null ${far}/$n; done`,
  }),
  {
    name: "client that keeps two connections in step by itself",
    run: async ({ network, certificate }) => {
      // A feed that is compared with the service inside every so often, whatever comes.
      const port = (nextPort += 3)
      const words = ["carrier=tls", "does=think", "answers=none"]
      const server = await network.serve("outside", "producer.py", `${port}`, certificate, ...words)
      const client = network.python("inside", "consumer.py", outside, `${port}`, ...words)
      const checks = network.start(
        "inside",
        "bash",
        "-ec",
        `for i in 1 2 3 4 5 6 7; do ${fetches(near)}; sleep 0.1; done`,
      )
      const firstUs = await firstUseUs(server)
      await Promise.all([server, client, checks].map(waitForSuccess))
      return { pids: [pidOf(client), pidOf(checks)], firstUs, end: () => Promise.resolve() }
    },
  },
]
