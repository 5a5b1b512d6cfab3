import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Filter, Listed } from "./queries.js"
import { askRunning, querySocket, serveQueries } from "./query-server.js"
import type { PrivateServer } from "../../http/private-socket.js"

/** Answers with what it was asked. */
const echo: Listed = {
  findings: (filter) => Promise.resolve([{ list: "findings", filter }] as never),
  incidents: (filter) => Promise.resolve([{ list: "incidents", filter }] as never),
  connections: () => Promise.reject(new Error("the engine is out of memory")),
}

let state: string
let server: PrivateServer

beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), "backflow-query-"))
  server = await serveQueries(state, echo)
})

afterEach(async () => {
  await server.close()
  rmSync(state, { recursive: true, force: true })
})

function get(path: string, method = "GET"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ socketPath: querySocket(state), path, method }, (response) => {
      response.resume()
      response.on("end", () => resolve(response.statusCode))
    })
      .on("error", reject)
      .end()
  })
}

describe("a running analyzer", () => {
  it("is asked with every part of a filter", async () => {
    const filter: Filter = {
      limit: 7,
      open: true,
      severity: "high",
      class: "reverse_shell",
      sinceUs: 1_795_413_600_000_001,
    }
    expect(await askRunning(state, "findings", filter)).toEqual([{ list: "findings", filter }])
    expect(await askRunning(state, "incidents", { limit: 1 })).toEqual([
      { list: "incidents", filter: { limit: 1, open: false } },
    ])
  })

  it("says why it cannot answer", async () => {
    await expect(askRunning(state, "connections", { limit: 1 })).rejects.toMatchObject({
      code: "store-unreachable",
      message: expect.stringContaining("the engine is out of memory") as string,
    })
  })

  it("can be asked by its own user alone", () => {
    expect(statSync(querySocket(state)).mode & 0o777).toBe(0o600)
  })

  it.each([
    ["/findings?limit=0", 400],
    ["/findings?limit=100001", 400],
    ["/findings?limit=1;DROP", 400],
    ["/findings?severity=any", 400],
    ["/findings?class=any", 400],
    ["/findings?since_us=now", 400],
    ["/findings?since_us=9e99", 400],
    ["/", 404],
    ["/findings/../etc/passwd", 404],
    ["/system", 404],
  ])("answers %s with %d", async (path, status) => {
    expect(await get(path)).toBe(status)
  })

  it("changes nothing", async () => {
    expect(await get("/findings", "POST")).toBe(404)
    expect(await get("/findings", "DELETE")).toBe(404)
  })

  it("takes the place of a socket that a killed one left", async () => {
    await server.close()
    writeFileSync(querySocket(state), "")
    server = await serveQueries(state, echo)
    expect(await get("/findings")).toBe(200)
  })
})

it("an analyzer that is not there is told as such", async () => {
  await server.close()
  await expect(askRunning(state, "findings", { limit: 1 })).rejects.toMatchObject({ code: "store-unreachable" })
})
