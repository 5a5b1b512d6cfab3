// Page load and live update with 1,000 open incidents and 100,000 live connections, over real sockets.
//
//     npm run build && node test/bench/page-load.mjs
//
// In this process: the page's server with the real live findings and the real state of ten hosts, and one watcher of its events;
// then Chromium with the real page.
import { anUpdate, noExchanges } from "../../analyzer/dist/testing/connections.js"
import { aFinding, anIncident, idOf } from "../../analyzer/dist/testing/findings.js"
import { aHost } from "../../analyzer/dist/testing/hosts.js"
import { outputWith } from "../../analyzer/dist/testing/outputs.js"
import { aPage } from "../../analyzer/dist/testing/page.js"
import { aProcess } from "../../analyzer/dist/testing/processes.js"
import { aStatus } from "../../analyzer/dist/testing/status.js"
import { aView } from "../../analyzer/dist/testing/trackers.js"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { get } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { setTimeout as delay } from "node:timers/promises"
import { LiveOutbound, defaultQuery } from "../../analyzer/dist/web/api/outbound.js"
import { measureBrowser } from "./page-browser.mjs"
import { builtPage } from "../../analyzer/dist/web/start.js"

const [hosts, connectionsEach, incidents, rounds, updateSeconds] = [10, 10_000, 1_000, 20, 10]
const nowUs = () => Date.now() * 1_000
const hex = (n) => n.toString(16).padStart(16, "0")

const views = Array.from({ length: hosts }, (_, h) => {
  const processes = Array.from({ length: 200 }, (_, p) =>
    aProcess([`/usr/bin/agent-${p}`, "--serve"], { key: `${p + 1}:1` }),
  )
  const connections = Array.from({ length: connectionsEach }, (_, c) =>
    anUpdate({
      cookie: hex(h * connectionsEach + c + 1),
      process: `${(c % 200) + 1}:1`,
      openedUs: nowUs() - c * 7_000_000,
      remote: { address: `203.0.${c % 250}.${(c >> 8) % 250}`, port: 443 },
      exchanges: {
        ...noExchanges,
        remoteLed: c % 7,
        remoteLedAnswered: c % 7,
        localLed: c % 5,
        localLedAnswered: c % 5,
      },
    }),
  )
  return aView(connections, processes, aHost({ hostId: `${h}`, hostName: `host-${h}` }))
})
const state = aStatus({
  streams: hosts,
  hosts: views.map((view) => ({ view, lastReceivedUs: nowUs(), counts: { liveConnections: connectionsEach } })),
})

let clock = 0
const outbound = new LiveOutbound({
  views: () => views,
  findingOf: () => undefined,
  nowUs,
  monotonicMs: () => (clock += 10_000),
})

report(
  "one pass over 100,000 connections, and its 50 oldest",
  times(() => outbound.query(defaultQuery)),
)
report(
  "the same with a search",
  times(() => outbound.query({ ...defaultQuery, search: "agent-77" })),
)

const folder = mkdtempSync(join(tmpdir(), "backflow-bench-"))
const { web, live } = await aPage(folder, { analyzer: () => state, files: builtPage })
try {
  const write = (version) =>
    live.write(
      Array.from({ length: incidents }, (_, i) =>
        outputWith({
          findings: [aFinding({ id: idOf(i), version })],
          incidents: [anIncident({ id: idOf(10_000 + i), version, findings: [idOf(i)] })],
        }),
      ),
    )
  await write(1)
  const headers = {
    authorization: `Bearer ${decodeURIComponent(new URL(web.signInAddress).hash.slice("#token=".length))}`,
    "accept-encoding": "gzip",
  }
  for (const path of [
    "/api/overview",
    "/api/incidents?limit=1000",
    `/api/incidents/${idOf(10_000)}`,
    `/api/findings/${idOf(0)}`,
    "/api/outbound",
    "/api/outbound?sort=bytes&search=agent-77",
  ]) {
    const durations = []
    let bytes = 0
    for (let i = 0; i < rounds; i++) {
      const began = performance.now()
      bytes = (await fetchBody(path, headers)).length
      durations.push(performance.now() - began)
    }
    report(`GET ${path}, ${bytes} bytes compressed`, durations)
  }
  const [stream] = await once(get(`${web.address}/api/events`, { headers }), "response")
  let streamed = 0
  stream.on("data", (chunk) => (streamed += chunk.length))
  for (const [what, changes] of [
    ["nothing changes", 0],
    ["100 incidents and findings change each second", 100],
  ]) {
    const loop = monitorEventLoopDelay({ resolution: 5 })
    streamed = 0
    loop.enable()
    const before = process.cpuUsage()
    for (let second = 0; second < updateSeconds; second++) {
      const outputs = Array.from({ length: changes }, (_, i) =>
        outputWith({
          findings: [aFinding({ id: idOf(i), version: second + 2 })],
          incidents: [anIncident({ id: idOf(10_000 + i), version: second + 2, findings: [idOf(i)] })],
        }),
      )
      await live.write(outputs)
      await delay(1_000)
    }
    const { user, system } = process.cpuUsage(before)
    loop.disable()
    console.log(
      `one watcher, ${what}: ${((user + system) / 1e4 / updateSeconds).toFixed(1)} % of a core, ${Math.round(streamed / updateSeconds)} bytes/s, event loop late by p99 ${(loop.percentile(99) / 1e6 - 5).toFixed(1)} ms, at most ${(loop.max / 1e6 - 5).toFixed(1)} ms`,
    )
  }
  stream.destroy()
  const publish = async (i) => {
    const summary = `Way in number ${i}, written while the page was open`
    await live.write([outputWith({ incidents: [anIncident({ id: idOf(20_000 + i), severity: "critical", summary })] })])
    return summary
  }
  await measureBrowser(web, publish, report)
} finally {
  await web.stop(0)
  rmSync(folder, { recursive: true })
}

async function fetchBody(path, headers) {
  const [response] = await once(get(`${web.address}${path}`, { headers }), "response")
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`)
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function times(what) {
  return Array.from({ length: rounds }, () => {
    const began = performance.now()
    what()
    return performance.now() - began
  })
}

function report(what, durations) {
  const sorted = [...durations].sort((a, b) => a - b)
  console.log(`${what}: median ${sorted[sorted.length >> 1].toFixed(1)} ms, slowest ${sorted.at(-1).toFixed(1)} ms`)
}
