import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
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
