import { execFileSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { addresses } from "./network.js"
import { waitForLine } from "./processes.js"
import type { LabNetwork } from "./network.js"

/** Starts a real sshd outside on ports 22 and 443, with keys of its own; resolves when it accepts connections. */
export async function startSshd(network: LabNetwork): Promise<ChildProcess> {
  const file = (name: string): string => join(network.folder, name)
  for (const name of ["host-key", "user-key"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file(name)])
  }
  copyFileSync(file("user-key.pub"), file("authorized"))
  const settings = [
    "Port 22",
    "Port 443",
    `HostKey ${file("host-key")}`,
    `AuthorizedKeysFile ${file("authorized")}`,
    "PermitRootLogin yes",
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "MaxStartups 100",
    "AllowAgentForwarding yes",
    "Subsystem sftp internal-sftp",
  ]
  writeFileSync(file("sshd_config"), settings.join("\n") + "\n")
  // sshd gives up its privileges in this folder, and refuses to start without it.
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 })
  execFileSync("dropbearconvert", ["openssh", "dropbear", file("user-key"), file("dropbear-key")], { stdio: "pipe" })
  const sshd = network.start("outside", "/usr/sbin/sshd", "-D", "-e", "-f", file("sshd_config"))
  await waitForLine(sshd, "Server listening", "stderr")
  return sshd
}

/** Options that make any OpenSSH client use the lab's key and ask nothing. */
export function sshOptions(network: LabNetwork): readonly string[] {
  const options = {
    IdentityFile: join(network.folder, "user-key"),
    UserKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "no",
    BatchMode: "yes",
    ExitOnForwardFailure: "yes",
    LogLevel: "ERROR",
  }
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`])
}

export const login = `root@${addresses.outside}`

/** Starts ssh on the watched host. */
export function ssh(network: LabNetwork, ...args: readonly string[]): ChildProcess {
  return network.start("inside", "ssh", ...sshOptions(network), ...args)
}

/** Makes a certificate for the programs that speak TLS: key and certificate in one file. */
export function makeCertificate(network: LabNetwork): string {
  const [key, certificate, both] = ["tls.key", "tls.crt", "tls.pem"].map((name) => join(network.folder, name))
  if (key === undefined || certificate === undefined || both === undefined) throw new Error("unreachable")
  const subject = ["-subj", "/CN=outside", "-days", "2", "-keyout", key, "-out", certificate]
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject], { stdio: "pipe" })
  execFileSync("sh", ["-c", `cat "$0" "$1" > "$2"`, key, certificate, both])
  return both
}
