import type { ChildProcess } from "node:child_process"
import { pidOf, waitForPort } from "../lab/case.js"
import { makeNetwork } from "../lab/network.js"
import { waitForSuccess } from "../lab/processes.js"
import type { LabNetwork } from "../lab/network.js"
import { login, ssh, startSshd } from "../lab/ssh.js"

/** A host inside with a service, and sshd outside. */
export async function makeWayIn(): Promise<LabNetwork> {
  const network = makeNetwork()
  try {
    await startSshd(network)
    await network.serve("inside", "inside_service.py", "http", "8000")
    return network
  } catch (thrown) {
    network.remove()
    throw thrown
  }
}

export interface Tunnel {
  readonly pid: number
  /** Somebody outside sends a round of requests through it. */
  use(): Promise<void>
  close(): void
}

/** A real `ssh -N -R` that leads from outside to the service inside. */
export async function openTunnel(network: LabNetwork): Promise<Tunnel> {
  const port = 18_080
  const client: ChildProcess = ssh(network, "-N", "-R", `${port}:127.0.0.1:8000`, login)
  await waitForPort(network, "outside", port)
  return {
    pid: pidOf(client),
    use: () => waitForSuccess(network.python("outside", "visitor.py", `${port}`)),
    close: () => void client.kill("SIGTERM"),
  }
}
