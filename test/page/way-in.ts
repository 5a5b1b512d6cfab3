import type { ChildProcess } from "node:child_process"
import { listening, pidOf } from "../lab/case.js"
import { ending, makeGround } from "../lab/ground.js"
import type { Ground } from "../lab/ground.js"
import { login, ssh, startSshd } from "../lab/ssh.js"

/** A host inside with a service, and sshd outside. */
export async function makeWayIn(): Promise<Ground> {
  const ground = makeGround()
  try {
    await startSshd(ground)
    await ground.serve("inside", "inside_service.py", "http", "8000")
    return ground
  } catch (thrown) {
    ground.remove()
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
export async function openTunnel(ground: Ground): Promise<Tunnel> {
  const port = 18_080
  const client: ChildProcess = ssh(ground, "-N", "-R", `${port}:127.0.0.1:8000`, login)
  await listening(ground, "outside", port)
  return {
    pid: pidOf(client),
    use: () => ending(ground.python("outside", "visitor.py", `${port}`)),
    close: () => void client.kill("SIGTERM"),
  }
}
