import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { once } from "node:events"
import { request } from "node:http"
import type { ServerResponse } from "node:http"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest"
import { listenHttp } from "./listener.js"
import type { Handler, HttpListener, ListenerOptions } from "./listener.js"

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-http-"))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

const limits = { connections: 8, headersMs: 10_000, headerBytes: 8_192 }

async function listen(changes: Partial<ListenerOptions> = {}, handler: Handler = (_, response) => void response.end()) {
  const options = { setting: "store.serve", address: "127.0.0.1:0", tls: undefined, limits, ...changes }
  const listener: HttpListener = await listenHttp(options, handler)
  onTestFinished(() => listener.close(0))
  return listener
}

describe("a listener", () => {
  it.each([
    ["127.0.0.1:0", /^http:\/\/127\.0\.0\.1:\d+$/],
    ["[::1]:0", /^http:\/\/\[::1\]:\d+$/],
  ])("on %s is reached at the port that it took", async (address, url) => {
    const listener = await listen({ address })
    expect(listener.url).toMatch(url)
    expect((await fetch(listener.url)).status).toBe(200)
  })

  it("refuses headers beyond the limit", async () => {
    const { url } = await listen()
    expect((await fetch(url, { headers: { long: "x".repeat(7_000) } })).status).toBe(200)
    expect((await fetch(url, { headers: { long: "x".repeat(9_000) } })).status).toBe(431)
  })

  it("takes no new connection once it refuses, and cuts off what goes on after the grace", async () => {
    let onReceived: () => void = () => undefined
    const received = new Promise<void>((resolve) => {
      onReceived = resolve
    })
    const listener = await listen({}, () => onReceived())
    const ended = new Promise<string>((resolve) => {
      request(listener.url, { agent: false })
        .on("error", ({ message }) => resolve(message))
        .end()
    })
    await received
    listener.refuse()
    await expect(fetch(listener.url)).rejects.toThrow()
    await listener.close(10)
    expect(await ended).toBe("socket hang up")
  })
})

describe("connections that show no token", () => {
  /** Opens so many that send half a request, each after the one before; resolves once all are connected. */
  async function halfOpen(url: string, count: number): Promise<Socket[]> {
    const { hostname, port } = new URL(url)
    const sockets: Socket[] = []
    for (let i = 0; i < count; i++) {
      const socket = connect(Number(port), hostname)
        .on("error", () => undefined)
        .resume()
      sockets.push(socket)
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n")
      if (i % 100 === 99) await once(socket, "connect")
    }
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
    return sockets
  }

  it("keep nobody out: of 2,000 that are renewed all the time the oldest are dropped, and counted", async () => {
    let dropped = 0
    const { url } = await listen({ onDropped: () => (dropped += 1) }, (_, response, authenticate) => {
      authenticate()
      response.end()
    })
    const sockets = await halfOpen(url, 2_000)
    for (let wave = 0; wave < 5; wave++) {
      const renewed = halfOpen(url, 400)
      expect((await fetch(url, { headers: { connection: "close" } })).status).toBe(200)
      await renewed
    }
    expect(dropped).toBeGreaterThanOrEqual(2_000 - 1_024)
    if (sockets[0]?.destroyed === false) await once(sockets[0], "close")
    expect(sockets.at(0)?.destroyed).toBe(true)
  }, 60_000)

  it("do not push out one that has shown it", async () => {
    let live: ServerResponse | undefined
    const { url } = await listen({}, (_, response, authenticate) => {
      authenticate()
      live = response
      response.writeHead(200).write("begin")
    })
    const reader = (await fetch(url)).body?.getReader()
    await reader?.read()
    const [oldest] = await halfOpen(url, 1_100)
    if (oldest?.destroyed === false) await once(oldest, "close")
    live?.write("more")
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("more")
  }, 60_000)
})

describe("an error", () => {
  it("of an address in use names setting and remedy", async () => {
    const address = (await listen()).url.slice("http://".length)
    await expect(listen({ address })).rejects.toMatchObject({
      code: "address-in-use",
      message: `store.serve cannot listen on ${address}: it is in use.`,
      remedy: "Choose another with store.serve.address, or off.",
    })
  })

  it.each(["203.0.113.250:1", "unix:/nowhere", "4480"])("of the address %s is no crash", async (address) => {
    await expect(listen({ address })).rejects.toMatchObject({ message: expect.stringContaining(address) as string })
  })

  it("of a certificate names its setting", async () => {
    const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") }
    const missing = { code: "config", message: expect.stringMatching(/^store\.serve\.tls\.cert_file cannot/) as string }
    await expect(listen({ tls: files })).rejects.toMatchObject(missing)
    for (const file of Object.values(files)) writeFileSync(file, "no PEM")
    const unusable = { code: "config", message: expect.stringMatching(/^store\.serve\.tls is not usable/) as string }
    await expect(listen({ tls: files })).rejects.toMatchObject(unusable)
  })
})
