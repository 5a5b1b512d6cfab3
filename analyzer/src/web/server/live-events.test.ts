import { mkdtempSync, rmSync } from "node:fs"
import { once } from "node:events"
import { get } from "node:http"
import type { IncomingMessage } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LiveEvents } from "@backflow/page/contract"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { aPage } from "../../testing/page.js"
import type { Web } from "../start.js"
import type { LiveFindings } from "../live/live-findings.js"
import type { Metrics } from "../../telemetry/metrics.js"
import { aFinding, anIncident } from "../../testing/findings.js"
import { outputWith } from "../../testing/outputs.js"
import { aStatus } from "../../testing/status.js"

let folder: string
let web: Web
let open: IncomingMessage[] = []
let streams = 0
let live: LiveFindings
let metrics: Metrics

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "backflow-live-"))
  streams = 0
  ;({ web, live, metrics } = await aPage(folder, { analyzer: () => aStatus({ streams }) }))
})

afterEach(async () => {
  for (const response of open) response.destroy()
  open = []
  await web.stop(0)
  rmSync(folder, { recursive: true, force: true })
})

const token = () => new URL(web.signInAddress).hash.slice("#token=".length)
const headers = () => ({ authorization: `Bearer ${token()}` })

/** A watcher, and what it received so far. */
class Watcher {
  readonly response: IncomingMessage
  #text = ""
  #waiting: (() => void)[] = []

  constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding("utf8")
    response.on("data", (text: string) => {
      this.#text += text
      for (const wake of this.#waiting.splice(0)) wake()
    })
    response.on("error", () => undefined)
  }

  events<Name extends keyof LiveEvents>(name: Name): LiveEvents[Name][] {
    const found = this.#text.matchAll(new RegExp(`^event: ${name}\\ndata: (.*)\\n\\n`, "gm"))
    return [...found].map(([, data = ""]) => JSON.parse(data) as LiveEvents[Name])
  }

  get text(): string {
    return this.#text
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

async function watch(): Promise<Watcher> {
  const [response] = (await once(get(`${web.address}/api/events`, { headers: headers() }), "response")) as [
    IncomingMessage,
  ]
  open.push(response)
  expect(response.statusCode).toBe(200)
  return new Watcher(response)
}

describe("live events", () => {
  it("begin with how everything stands", async () => {
    await live.write([outputWith({ findings: [aFinding()], incidents: [anIncident({ findings: [aFinding().id] })] })])
    const watcher = await watch()
    await watcher.until(() => watcher.events("finding").length > 0)
    expect(watcher.response.headers["content-type"]).toBe("text/event-stream")
    expect(watcher.events("overview")).toMatchObject([{ openIncidents: 1 }])
    expect(watcher.events("outbound")).toMatchObject([{ total: 0 }])
    expect(watcher.events("incident")).toMatchObject([{ id: anIncident().id, findings: 1 }])
    expect(watcher.events("finding")).toMatchObject([{ incident: anIncident().id, host: "build-7" }])
  })

  it("tell every watcher of each change, the latest version alone", async () => {
    const watchers = [await watch(), await watch()]
    const versions = [1, 2, 3].map((version) => outputWith({ findings: [aFinding({ version })] }))
    await live.write(versions)
    for (const watcher of watchers) {
      await watcher.until(() => watcher.events("finding").length > 0)
      expect(watcher.events("finding").map(({ version }) => version)).toEqual([3])
    }
  })

  it("tell the overview when something in it changed, and not because of the clock", async () => {
    const watcher = await watch()
    await watcher.until(() => watcher.events("overview").length > 0)
    streams = 5
    await live.write([outputWith({ incidents: [anIncident()] })])
    await watcher.until(() => watcher.events("overview").some(({ openIncidents }) => openIncidents === 1))
    const before = watcher.events("overview").length
    await live.write([outputWith({ incidents: [anIncident({ id: "1c3f8a52-0f0e-5b7c-9d58-5a1f5f6f7a11" })] })])
    await watcher.until(() => watcher.events("overview").some(({ openIncidents }) => openIncidents === 2))
    expect(watcher.events("overview").length - before).toBe(1)
  })

  it("end with a word when the analyzer stops", async () => {
    const watcher = await watch()
    const ended = once(watcher.response, "end")
    await web.stop(0)
    await ended
    expect(watcher.text).toMatch(/event: closing\ndata: {}\n\n$/)
  })

  it("are for so many watchers at once", async () => {
    await Promise.all(Array.from({ length: 32 }, watch))
    const [refused] = (await once(get(`${web.address}/api/events`, { headers: headers() }), "response")) as [
      IncomingMessage,
    ]
    open.push(refused)
    expect(refused.statusCode).toBe(503)
  })

  it("drop a watcher that does not read, and count it", async () => {
    const reader = await watch()
    const { hostname, port } = new URL(web.address)
    const socket = connect(Number(port), hostname)
    await once(socket, "connect")
    socket.write(`GET /api/events HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token()}\r\n\r\n`)
    await once(socket, "readable")
    // From here on nothing is read: the kernel's buffers fill, then the watcher's.
    const closed = once(socket, "close")
    socket.on("error", () => undefined)
    const summary = "x".repeat(4_000)
    let version = 1
    const refused = async () => /reason="slow_watcher"} (\d+)/.exec(await metrics.text())?.[1]
    while ((await refused()) === "0") {
      version += 1
      const findings = Array.from({ length: 200 }, (_, i) => aFinding({ id: `${i}`, version, summary }))
      await live.write([outputWith({ findings })])
      await reader.until(() => reader.text.includes(`"version":${version},`))
    }
    socket.resume()
    await closed
    expect(await refused()).toBe("1")
  }, 30_000)
})
