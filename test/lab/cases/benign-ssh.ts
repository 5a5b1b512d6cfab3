// SSH as people and programs use it every day.
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Case, Lab, Run } from "../case.js"
import { pidOf, stopAll } from "../case.js"
import { addresses } from "../network.js"
import type { Machine } from "../network.js"
import { waitForSuccess } from "../processes.js"
import { login, ssh, sshOptions } from "../ssh.js"

const outsideService = 8001
let nextPort = 18300

/** Runs a shell script on the watched host to its end. */
async function script(lab: Lab, text: string, machine: Machine = "inside"): Promise<Run> {
  const child = lab.network.start(machine, "sh", "-ec", text)
  await waitForSuccess(child)
  return { pids: [pidOf(child)], end: () => Promise.resolve() }
}

async function atTerminal(lab: Lab, seconds: number, ...command: readonly string[]): Promise<Run> {
  const child = lab.network.python(
    "inside",
    "terminal.py",
    `${seconds}`,
    "ssh",
    "-tt",
    ...sshOptions(lab.network),
    ...command,
  )
  await waitForSuccess(child)
  return { pids: [pidOf(child)], end: () => Promise.resolve() }
}

/** Opens a forward and fetches through it from inside. */
async function throughForward(lab: Lab, port: number, args: readonly string[], curl: string): Promise<Run> {
  const client = ssh(lab.network, "-N", ...args, login)
  const wait = `until ss -Hltn "sport = :${port}" | grep -q .; do sleep 0.05; done;`
  const fetches = [10, 500, 30000, 77].map((size) => `curl -sf -m 5 -o /dev/null ${curl}/bytes/${size}`)
  await script(lab, `${wait} ${fetches.join("; ")}`)
  return { pids: [pidOf(client)], end: stopAll(client) }
}

const quotedOptions = (lab: Lab): string =>
  sshOptions(lab.network)
    .map((word) => `'${word}'`)
    .join(" ")

function blob(lab: Lab): string {
  const file = join(lab.network.folder, "blob")
  writeFileSync(file, Buffer.alloc(3_000_000, "z"))
  return file
}

export const benignSsh: readonly Case[] = [
  { name: "ssh with a person typing", run: (lab) => atTerminal(lab, 3, login) },
  {
    name: "ssh with a program that prints by itself",
    run: (lab) => atTerminal(lab, 0, login, "for i in 1 2 3 4 5 6 7 8; do date; sleep 0.3; done"),
  },
  {
    name: "ssh -L",
    run: (lab) => {
      const port = nextPort++
      return throughForward(lab, port, ["-L", `${port}:127.0.0.1:${outsideService}`], `http://127.0.0.1:${port}`)
    },
  },
  {
    name: "ssh -D",
    run: (lab) => {
      const port = nextPort++
      const curl = `--socks5 127.0.0.1:${port} http://127.0.0.1:${outsideService}`
      return throughForward(lab, port, ["-D", `${port}`], curl)
    },
  },
  {
    name: "ssh -J",
    run: async (lab) => {
      // The jump itself is an ssh of its own that takes its options from a file.
      const file = join(lab.network.folder, "jump-config")
      const options = sshOptions(lab.network).filter((word) => word !== "-o")
      writeFileSync(file, `Host *\n${options.map((o) => `  ${o.replace("=", " ")}\n`).join("")}`)
      return script(
        lab,
        `for i in 1 2 3; do ssh -F ${file} -J ${login} root@${addresses.outsideToo} 'head -c 5000 /dev/zero | wc -c'; done`,
      )
    },
  },
  {
    name: "ssh -A with the agent in use",
    run: (lab) => {
      const key = join(lab.network.folder, "user-key")
      const remote = `ssh-add -l; ssh-add -l; ssh-add -L`
      return script(
        lab,
        `exec ssh-agent sh -ec 'ssh-add -q ${key}; ssh -A ${sshOptions(lab.network).join(" ")} ${login} "${remote}"'`,
      )
    },
  },
  {
    name: "scp both ways",
    run: (lab) => {
      const [file, options] = [blob(lab), quotedOptions(lab)]
      return script(
        lab,
        `scp -q ${options} ${file} ${login}:${file}.up; scp -q ${options} ${login}:${file}.up ${file}.down`,
      )
    },
  },
  {
    name: "rsync both ways",
    run: (lab) => {
      const [file, options] = [blob(lab), sshOptions(lab.network).join(" ")]
      const copy = `rsync --inplace -W -e 'ssh ${options}'`
      return script(lab, `${copy} ${file} ${login}:${file}.there; ${copy} ${login}:${file}.there ${file}.back`)
    },
  },
  {
    name: "git over ssh",
    run: (lab) => {
      const [bare, work] = [join(lab.network.folder, "bare.git"), join(lab.network.folder, "work")]
      mkdirSync(bare)
      execFileSync("git", ["init", "-q", "--bare", "-b", "main", bare])
      const commit = "git -c user.name=lab -c user.email=lab@localhost commit -q --allow-empty -m"
      const steps = [
        `export GIT_SSH_COMMAND="ssh ${sshOptions(lab.network).join(" ")}"`,
        `git clone -q ssh://${login}${bare} ${work} 2>/dev/null`,
        `cd ${work}`,
        `${commit} one`,
        "git push -q origin HEAD:main",
        "git pull -q origin main",
      ]
      return script(lab, steps.join("; "))
    },
  },
]
