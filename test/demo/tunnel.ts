import { execFile } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { firstLine } from "./lines.js"
import type { Machine, Machines } from "./machines.js"

const run = promisify(execFile)

export const servicePort = 8000
export const tunnelPort = 8080
const sshPort = 22

/** Keys and configuration for one sshd and one ssh, in a folder that nobody else reads. */
async function writeKeys(folder: string): Promise<void> {
  for (const name of ["host-key", "user-key"]) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(folder, name)])
  }
  const settings = [
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
  await writeFile(join(folder, "sshd_config"), settings.join("\n") + "\n")
}

/** Starts the outside's sshd; resolves when it accepts connections. */
export async function startSshServer(outside: Machine, folder: string, signal: AbortSignal): Promise<void> {
  await writeKeys(folder)
  const server = outside.start("/usr/sbin/sshd", ["-D", "-e", "-p", `${sshPort}`, "-f", join(folder, "sshd_config")])
  const isListening = (line: string) => line.startsWith("Server listening")
  await firstLine(server, { name: "sshd", stream: server.stderr, wanted: isListening, signal })
}

/** Runs `ssh -N -R` inside. The port that it opens outside leads to the service inside. */
export function openTunnel({ inside, outside }: Machines, folder: string): ChildProcess {
  const options = [
    "StrictHostKeyChecking=no",
    `UserKnownHostsFile=${join(folder, "known-hosts")}`,
    "BatchMode=yes",
    "ExitOnForwardFailure=yes",
    "LogLevel=ERROR",
  ]
  const words = ["-F", "none", "-i", join(folder, "user-key"), "-p", `${sshPort}`]
  const forward = ["-N", "-R", `${tunnelPort}:127.0.0.1:${servicePort}`, `root@${outside.address}`]
  return inside.start("ssh", [...words, ...options.flatMap((option) => ["-o", option]), ...forward])
}
