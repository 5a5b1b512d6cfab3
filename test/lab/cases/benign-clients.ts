// Clients, workers and proxies that look like a tunnel from one side or another.
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Case } from "../case.js"
import { firstUseUs, pidOf, runBoth, stopAll, waitForPort } from "../case.js"
import { addresses } from "../network.js"
import { waitForSuccess } from "../processes.js"

let nextPort = 18400

function client(name: string, kind: string, feed: string): Case {
  return {
    name,
    run: async ({ network, certificate }) => {
      const port = nextPort++
      const outside = await network.serve("outside", "feed.py", feed, `${port}`, certificate)
      const inside = network.python("inside", "client.py", kind, addresses.outside, `${port}`)
      return runBoth(outside, inside, await firstUseUs(outside))
    },
  }
}

const fetches = (url: string, options = ""): string =>
  [10, 500, 30000, 77, 4000].map((size) => `curl -sf -m 5 -o /dev/null ${options} ${url}/bytes/${size}`).join("; ")

export const benignClients: readonly Case[] = [
  client("websocket client that stores pushes, kept database connection", "subscriber-kept", "push"),
  client("websocket client that stores pushes, fresh database connection", "subscriber-fresh", "push"),
  client("client that answers pushed queries with rows", "reporter", "query"),
  client("long-polling worker that connects inside", "worker", "jobs"),
  client("long-polling worker whose child connects inside", "worker-child", "jobs"),
  client("agent that posts a growing context and fetches inside", "agent", "model"),
  client("agent that runs answers in a shell it keeps", "agent-shell", "model"),
  {
    name: "nginx as reverse proxy",
    run: async ({ network }) => {
      const port = nextPort++
      const folder = join(network.folder, "nginx")
      mkdirSync(folder)
      const settings =
        `daemon off; master_process on; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;\n` +
        `events {}\nhttp { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;\n` +
        `fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;\n` +
        `server { listen ${port}; location / { proxy_pass http://127.0.0.1:8000; }\n` +
        `location /far/ { proxy_pass http://${addresses.outside}:8001/; } } }\n`
      writeFileSync(join(folder, "nginx.conf"), settings)
      const nginx = network.start("inside", "nginx", "-c", join(folder, "nginx.conf"))
      await waitForPort(network, "inside", port)
      const [near, far] = [`http://${addresses.inside}:${port}`, `http://127.0.0.1:${port}/far`]
      await waitForSuccess(network.start("outside", "sh", "-ec", fetches(near)))
      await waitForSuccess(
        network.start("inside", "sh", "-ec", `${fetches(far)}; ${fetches(`http://127.0.0.1:${port}`)}`),
      )
      return { pids: [pidOf(nginx)], end: stopAll(nginx) }
    },
  },
  {
    name: "forward proxy with clients inside",
    run: async ({ network }) => {
      const port = nextPort++
      const file = join(network.folder, "tinyproxy.conf")
      writeFileSync(
        file,
        `Port ${port}\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\nAllow 127.0.0.1\nLogLevel Error\n`,
      )
      const proxy = network.start("inside", "tinyproxy", "-d", "-c", file)
      await waitForPort(network, "inside", port)
      const via = `-x http://127.0.0.1:${port}`
      const steps = `${fetches(`http://${addresses.outside}:8001`, via)}; ${fetches(`http://${addresses.lan}:8000`, via)}`
      await waitForSuccess(network.start("inside", "sh", "-ec", `${steps}; ${steps}`))
      return { pids: [pidOf(proxy)], end: stopAll(proxy) }
    },
  },
  {
    name: "apt update and download",
    run: async ({ network }) => {
      const port = nextPort++
      const folder = join(network.folder, "apt")
      // A flat repository with one package, as sources.list(5) has it, and an apt that knows nothing else.
      const build = [
        "mkdir -p repo pkg/DEBIAN pkg/usr/share/lab state/lists/partial cache/archives/partial",
        "printf 'Package: lab-package\\nVersion: 1\\nArchitecture: all\\nMaintainer: lab <lab@localhost>\\nDescription: lab\\n' > pkg/DEBIAN/control",
        "head -c 2000000 /dev/urandom > pkg/usr/share/lab/blob",
        "dpkg-deb -b pkg repo/lab-package_1_all.deb >/dev/null",
        "{ cat pkg/DEBIAN/control; echo Filename: ./lab-package_1_all.deb; echo Size: $(stat -c %s repo/*.deb);" +
          " echo SHA256: $(sha256sum repo/*.deb | cut -d' ' -f1); } > repo/Packages",
        `echo 'deb [trusted=yes] http://${addresses.outside}:${port}/ ./' > sources.list`,
      ]
      mkdirSync(folder)
      execFileSync("sh", ["-ec", build.join("\n")], { cwd: folder, stdio: "pipe" })
      const web = network.start(
        "outside",
        "/usr/bin/python3",
        "-m",
        "http.server",
        "-d",
        join(folder, "repo"),
        `${port}`,
      )
      await waitForPort(network, "outside", port)
      const options = `-o Dir::Etc::SourceList=${folder}/sources.list -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root \
        -o Dir::State=${folder}/state -o Dir::State::status=/dev/null -o Dir::Cache=${folder}/cache -o Acquire::http::Proxy=false`
      const apt = network.start(
        "inside",
        "sh",
        "-ec",
        `cd ${folder}; apt-get ${options} -q update; apt-get ${options} -q download lab-package`,
      )
      await waitForSuccess(apt)
      return { pids: [pidOf(apt)], end: stopAll(web) }
    },
  },
  {
    name: "downloads by curl",
    run: async ({ network }) => {
      const url = `http://${addresses.outside}:8001/bytes`
      // One connection for many files, as package managers fetch, and a large one.
      const many = `curl -sf -m 20 ${[2000, 150000, 90, 40000].map((n) => `-o /dev/null ${url}/${n}`).join(" ")}`
      const child = network.start("inside", "sh", "-ec", `${many}; curl -sf -m 20 -o /dev/null ${url}/5000000`)
      await waitForSuccess(child)
      return { pids: [pidOf(child)], end: () => Promise.resolve() }
    },
  },
]
