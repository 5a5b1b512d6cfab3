// More ordinary SSH: idle forwards, commands that last, masters that others work through, copies by pipe.
import { join } from "node:path"
import type { Case, Lab, Run } from "../case.js"
import { pidOf, stopAll } from "../case.js"
import { waitForSuccess } from "../processes.js"
import { login, ssh, sshOptions } from "../ssh.js"

let nextPort = 18900

const quoted = ({ network }: Lab): string =>
  sshOptions(network)
    .map((word) => `'${word}'`)
    .join(" ")

/** A shell script on the watched host; SSH stands for ssh with the lab's options, TO for where it goes. */
function script(name: string, text: (lab: Lab, port: number) => string, needs: readonly string[] = []): Case {
  return {
    name,
    needs,
    run: async (lab): Promise<Run> => {
      const port = nextPort++
      const words = text(lab, port)
        .replaceAll("SSH", `ssh ${quoted(lab)}`)
        .replaceAll("TO", login)
      const child = lab.network.start("inside", "bash", "-ec", words)
      await waitForSuccess(child)
      return { pids: [pidOf(child)], end: () => Promise.resolve() }
    },
  }
}

const listens = (port: number): string => `until ss -Hltn "sport = :${port}" | grep -q .; do sleep 0.05; done`
const fetched = (port: number, options = ""): string =>
  [10, 700, 700, 9000]
    .map((n) => `curl -sf -m 9 -o /dev/null ${options} http://127.0.0.1:${port}/bytes/${n}`)
    .join("; ")

export const ordinarySshForms: readonly Case[] = [
  {
    name: "ssh -L that nobody uses",
    run: async (lab) => {
      const port = nextPort++
      const client = ssh(lab.network, "-N", "-L", `${port}:127.0.0.1:8001`, login)
      await waitForSuccess(lab.network.start("inside", "sh", "-ec", `${listens(port)}; sleep 3`))
      return { pids: [pidOf(client)], end: stopAll(client) }
    },
  },
  script("ssh that sleeps", () => "SSH TO sleep 3"),
  script(
    "ssh that follows a log",
    () => "SSH TO 'for i in $(seq 25); do echo line $i of a log; sleep 0.1; done' > /dev/null",
  ),
  script("persistent master with commands through it", ({ network }, port) => {
    const path = join(network.folder, `ordinary-master-${port}`)
    const each = `for i in 1 2 3 4 5; do ssh -S ${path} TO "echo step $i; uname -a; head -c $((i*900)) /etc/services" > /dev/null; done`
    return `SSH -M -f -N -S ${path} TO; ${each}; ssh -S ${path} -O exit TO 2> /dev/null`
  }),
  script("master with copies through it, as ansible does", ({ network }, port) => {
    const options = `-o ControlMaster=auto -o ControlPersist=4 -o ControlPath=${join(network.folder, `auto-${port}`)}`
    const far = `/tmp/backflow-lab-${port}`
    const copy = `scp -q ${options} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i ${join(network.folder, "user-key")}`
    return `for i in 1 2 3; do SSH ${options} TO mkdir -p ${far}; head -c 4000 /etc/services > module-${port}; ${copy} module-${port} TO:${far}/m; SSH ${options} TO "wc -c < ${far}/m; rm -r ${far}" > /dev/null; done; ssh ${options} -O exit TO 2> /dev/null`
  }),
  script("master whose configuration names its socket", ({ network }, port) => {
    const [path, file] = [join(network.folder, `named-${port}`), join(network.folder, `config-${port}`)]
    const lines = `'ControlMaster auto' 'ControlPath ${path}-%h' 'ControlPersist 4'`
    const each = `for i in 1 2 3 4; do SSH -F ${file} TO "echo step $i; head -c $((i*900)) /etc/services" > /dev/null; sleep 0.5; done`
    return `printf '%s\\n' ${lines} > ${file}; ${each}; ssh -F ${file} -O exit TO 2> /dev/null`
  }),
  script(
    "tar through ssh, there and back",
    () =>
      "tar -cf - -C /etc services hosts | SSH TO 'tar -tf -' > /dev/null; SSH TO 'tar -cf - -C /etc services' | tar -tf - > /dev/null",
  ),
  script("autossh -L in use", ({ network }, port) => {
    const words = `-M 0 -N ${sshOptions(network).join(" ")} -L ${port}:127.0.0.1:8001 ${login}`
    return `autossh ${words} & child=$!; ${listens(port)}; ${fetched(port)}; kill $child`
  }),
  script("ssh -L with parallel clients", (_, port) => {
    const clients = `for i in 1 2 3 4; do (${fetched(port)}) & pids="$pids $!"; done; for p in $pids; do wait $p; done`
    return `SSH -N -L ${port}:127.0.0.1:8001 TO & child=$!; ${listens(port)}; ${clients}; kill $child`
  }),
  script("ssh -L that listens on a unix socket", ({ network }, port) => {
    const path = join(network.folder, `forward-${port}.sock`)
    const wait = `until test -S ${path}; do sleep 0.05; done`
    return `SSH -N -L ${path}:127.0.0.1:8001 TO & child=$!; ${wait}; ${fetched(80, `--unix-socket ${path}`)}; kill $child`
  }),
  script("ssh -D with parallel clients", (_, port) => {
    const clients = `for i in 1 2 3; do (${fetched(8001, `--socks5-hostname 127.0.0.1:${port}`)}) & pids="$pids $!"; done; for p in $pids; do wait $p; done`
    return `SSH -N -D ${port} TO & child=$!; ${listens(port)}; ${clients}; kill $child`
  }),
  script(
    "ssh -W by hand",
    () =>
      `printf 'GET /bytes/300 HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | SSH -W 127.0.0.1:8001 TO > /dev/null`,
  ),
  script("sftp batch", ({ network }, port) => {
    const options = sshOptions(network).join(" ")
    return `printf 'put /etc/services /tmp/backflow-lab-sftp-${port}\\nget /tmp/backflow-lab-sftp-${port} sftp-${port}\\nrm /tmp/backflow-lab-sftp-${port}\\n' | sftp -q -b - ${options} ${login} > /dev/null`
  }),
  script("dbclient -L in use", ({ network }, port) => {
    const words = `-y -y -i ${join(network.folder, "dropbear-key")} -N -L ${port}:127.0.0.1:8001 ${login}`
    return `dbclient ${words} 2> /dev/null & child=$!; ${listens(port)}; ${fetched(port)}; kill $child`
  }),
  script(
    "ssh-keyscan and eight short logins",
    () => "ssh-keyscan -T 5 203.0.113.9 > /dev/null 2>&1; for i in 1 2 3 4 5 6 7 8; do SSH TO true; done",
  ),
  script(
    "script on the far side by standard input",
    () => "printf 'for i in 1 2 3; do date; sleep 0.2; done\\nls /\\n' | SSH TO sh > /dev/null",
  ),
  script(
    "ssh in tmux with a person's command",
    ({ network }, port) => {
      const name = `lab${port}`
      const done = join(network.folder, `tmux-${port}`)
      return `tmux -L ${name} -f /dev/null new-session -d "SSH TO 'uname -a; sleep 1; ls /'; touch ${done}"; until test -e ${done}; do sleep 0.1; done`
    },
    ["tmux"],
  ),
]
