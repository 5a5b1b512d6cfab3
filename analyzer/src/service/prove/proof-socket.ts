import { chmodSync, rmSync } from "node:fs"
import { createServer, request } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { join } from "node:path"
import { AppError, messageOf } from "../../errors.js"
import type { HostProof } from "../../telemetry/status.js"
import type { ProofResult } from "./prover.js"

/** What can be requested. */
export interface ProofPorts {
  readonly prove: (host: string | undefined) => Promise<readonly ProofResult[]>
  readonly hosts: () => readonly HostProof[]
}

export interface ProofServer {
  close(): Promise<void>
}

const socketOf = (state: string) => join(state, "prove.sock")

/**
 * Answers `backflow prove` and `doctor` while an analyzer runs: `POST /prove?host=NAME`, `GET /hosts`. For the user of the
 * state folder alone. The caller holds that folder, so a socket that is there already is a dead one.
 */
export async function serveProofs(state: string, ports: ProofPorts): Promise<ProofServer> {
  const path = socketOf(state)
  rmSync(path, { force: true })
  const server = createServer((incoming, response) => void respond(ports, incoming, response))
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(ports: ProofPorts, { url, method }: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = (status: number, body: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
  try {
    const { pathname, searchParams } = new URL(url ?? "/", "http://prove.sock")
    if (pathname === "/prove" && method === "POST") reply(200, await ports.prove(searchParams.get("host") ?? undefined))
    else if (pathname === "/hosts" && method === "GET") reply(200, ports.hosts())
    else reply(404, { error: "no such request" })
  } catch (thrown) {
    reply(500, { error: messageOf(thrown) })
  }
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

function ask<Body>(state: string, method: string, path: string): Promise<Body> {
  return new Promise((resolve, reject) => {
    const failed = (thrown: unknown) =>
      reject(
        new AppError(
          "store-unreachable",
          `The analyzer that uses ${state} does not respond: ${messageOf(thrown)}`,
          "Start one with that state folder, or wait until it is ready.",
          { cause: thrown },
        ),
      )
    const outgoing = request({ socketPath: socketOf(state), path, method }, (response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", failed)
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8")
        if (response.statusCode === 200) resolve(JSON.parse(text) as Body)
        else failed(new Error(text))
      })
    })
    outgoing.on("error", failed)
    outgoing.end()
  })
}
