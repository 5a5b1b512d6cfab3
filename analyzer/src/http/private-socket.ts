import { chmodSync, rmSync } from "node:fs"
import { createServer, request } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { messageOf } from "../errors.js"

export interface PrivateServer {
  close(): Promise<void>
}

/** One JSON document for each request. */
export interface PrivateReply {
  readonly status: number
  readonly body: unknown
}

export interface PrivateRequest {
  readonly method: string
  readonly pathname: string
  readonly params: URLSearchParams
}

type Handle = (request: PrivateRequest) => Promise<PrivateReply> | PrivateReply

/**
 * Answers commands of the same user over HTTP on a unix socket that nobody else may open. The caller holds the folder that the
 * socket is in, so one that is there already is a dead one. A handler that throws is answered with status 500.
 */
export async function servePrivate(path: string, handle: Handle): Promise<PrivateServer> {
  rmSync(path, { force: true })
  const server = createServer((incoming, response) => void respond(handle, incoming, response))
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

async function respond(handle: Handle, { url, method }: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = ({ status, body }: PrivateReply) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
  try {
    const { pathname, searchParams } = new URL(url ?? "/", "http://unix")
    reply(await handle({ method: method ?? "", pathname, params: searchParams }))
  } catch (thrown) {
    reply({ status: 500, body: { error: messageOf(thrown) } })
  }
}

/** The document that such a server answers with. Throws when it does not answer, or with another status than 200. */
export function requestPrivate<Body>(path: string, method: "GET" | "POST", target: string): Promise<Body> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, path: target, method }, (response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", reject)
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8")
        if (response.statusCode !== 200) return reject(new Error(text))
        try {
          resolve(JSON.parse(text) as Body)
        } catch {
          // Thrown here, it would end the process.
          reject(new Error("the answer is no JSON"))
        }
      })
    })
    outgoing.on("error", reject)
    outgoing.end()
  })
}
