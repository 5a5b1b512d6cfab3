import { execFile } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { firstLine } from "./first-line.js"
import type { Machine, Machines } from "./machines.js"

const run = promisify(execFile)

export const servicePort = 8000
export const tunnelPort = 8080
const sshPort = 22

/** Keys and settings for one sshd and one ssh, in a folder that nobody else reads. */
async function writeSettings(folder: string): Promise<void> {
  for (const name of ["host-key", "user-key"]) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(folder, name)])
  }
  const server = [
    `HostKey ${join(folder, "host-key")}`,
    `AuthorizedKeysFile ${join(folder, "user-key.pub")}`,
    "AuthenticationMethods publickey",
    "PermitRootLogin prohibit-password",
    "PidFile none",
    // The folder is under the one for temporary files, which everybody may write to.
    "StrictModes no",
    // With PAM a root account that has no password is not taken for a locked one.
    "UsePAM yes",
  ]
  const client = [
    `Port ${sshPort}`,
    `IdentityFile ${join(folder, "user-key")}`,
    `UserKnownHostsFile ${join(folder, "known-hosts")}`,
    "StrictHostKeyChecking no",
    "BatchMode yes",
    "ExitOnForwardFailure yes",
    "LogLevel ERROR",
  ]
  await writeFile(join(folder, "sshd_config"), server.join("\n") + "\n")
  await writeFile(join(folder, "ssh_config"), client.join("\n") + "\n")
}

/** Starts the outside's sshd; resolves when it accepts connections. */
export async function startSshServer(outside: Machine, folder: string, signal: AbortSignal): Promise<void> {
  await writeSettings(folder)
  const server = outside.start("/usr/sbin/sshd", ["-D", "-e", "-p", `${sshPort}`, "-f", join(folder, "sshd_config")])
  const isListening = (line: string) => line.startsWith("Server listening")
  await firstLine(server, { name: "sshd", stream: server.stderr, matches: isListening, signal })
}

/** Runs `ssh -N -R` inside. The port that it opens outside leads to the service inside. */
export function openTunnel({ inside, outside }: Machines, folder: string): ChildProcess {
  const forward = `${tunnelPort}:127.0.0.1:${servicePort}`
  return inside.start("ssh", ["-N", "-R", forward, "-F", join(folder, "ssh_config"), `root@${outside.address}`])
}
