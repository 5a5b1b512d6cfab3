import { join } from "node:path"
import { AppError, messageOf } from "../../errors.js"
import { requestPrivate, servePrivate } from "../../http/private-socket.js"
import type { PrivateServer } from "../../http/private-socket.js"
import type { HostProof } from "../../telemetry/status.js"
import type { ProofResult } from "./prover.js"

/** What can be requested. */
export interface ProofPorts {
  readonly prove: (host: string | undefined) => Promise<readonly ProofResult[]>
  readonly hosts: () => readonly HostProof[]
}

const socketOf = (state: string) => join(state, "prove.sock")

/** Answers `backflow prove` and `doctor` while an analyzer runs: `POST /prove?host=NAME`, `GET /hosts`. */
export function serveProofs(state: string, ports: ProofPorts): Promise<PrivateServer> {
  return servePrivate(socketOf(state), async ({ method, pathname, params }) => {
    if (pathname === "/prove" && method === "POST")
      return { status: 200, body: await ports.prove(params.get("host") ?? undefined) }
    if (pathname === "/hosts" && method === "GET") return { status: 200, body: ports.hosts() }
    return { status: 404, body: { error: "no such request" } }
  })
}

/** Has the analyzer that holds `state` prove one host, or all. Throws AppError "store-unreachable" when it does not respond. */
export function requestProof(state: string, host: string | undefined): Promise<readonly ProofResult[]> {
  const params = host === undefined ? "" : `?${new URLSearchParams({ host }).toString()}`
  return ask<readonly ProofResult[]>(state, "POST", `/prove${params}`)
}

/** How the hosts of the analyzer that holds `state` stand. Throws as above. */
export function proofsOfHosts(state: string): Promise<readonly HostProof[]> {
  return ask<readonly HostProof[]>(state, "GET", "/hosts")
}

async function ask<Body>(state: string, method: "GET" | "POST", target: string): Promise<Body> {
  try {
    return await requestPrivate<Body>(socketOf(state), method, target)
  } catch (thrown) {
    const remedy = "Start one with that state folder, or wait until it is ready."
    const text = `The analyzer that uses ${state} does not respond: ${messageOf(thrown)}`
    throw new AppError("store-unreachable", text, remedy, { cause: thrown })
  }
}
