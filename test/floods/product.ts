import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { Watch } from "../lab/watch.js"
import { AlertReceiver } from "./alert-receiver.js"
import { collectorBelow, processUse } from "./process-use.js"
import type { ProcessUse } from "./process-use.js"

/** stop_seconds of the configuration, by default. */
export const stopSeconds = 30
/** It is killed this long after it should have ended. */
const patienceMs = (stopSeconds + 10) * 1_000

/** `backflow up` as people start it, with a page, a unix socket for collectors, and alerts to a slow webhook. */
export class Product {
  readonly watch: Watch
  readonly receiver: AlertReceiver
  /** Where collectors connect. */
  readonly address: string
  readonly pageAddress: string
  readonly #tokenFile: string
  readonly #collector: number
  #isOver = false

  private constructor(watch: Watch, receiver: AlertReceiver, folder: string, pageAddress: string) {
    this.watch = watch
    this.receiver = receiver
    this.address = addressIn(folder)
    this.pageAddress = pageAddress
    this.#tokenFile = join(folder, "state", "page-token")
    const collector = collectorBelow(watch.pid)
    if (collector === undefined) throw new Error("backflow up has no collector among its processes")
    this.#collector = collector
  }

  /** Resolves when it reports that it is ready. */
  static async start(folder: string): Promise<Product> {
    const receiver = await AlertReceiver.start()
    const pageAddress = `127.0.0.1:${await freePort()}`
    const file = join(folder, "backflow.yaml")
    // The outside of the floods is an address of their own loopback device, which counts as inside by its route.
    writeFileSync(
      file,
      `outside: [203.0.113.77/32]\nalerts:\n  webhook:\n    url: ${receiver.url}\n    format: finding\n`,
    )
    const options = ["--config", file, "--listen", addressIn(folder), "--page", pageAddress]
    const watch = await Watch.start(folder, options)
    return new Product(watch, receiver, folder, pageAddress)
  }

  analyzerUse(): ProcessUse | undefined {
    return processUse(this.watch.pid)
  }

  collectorUse(): ProcessUse | undefined {
    return processUse(this.#collector)
  }

  /** Losses that it tells of, by kind, where there are any; undefined when /metrics does not answer. */
  async losses(): Promise<Readonly<Record<string, number>> | undefined> {
    const headers = { authorization: `Bearer ${readFileSync(this.#tokenFile, "utf8").trim()}` }
    try {
      const signal = AbortSignal.timeout(5_000)
      const response = await fetch(`http://${this.pageAddress}/metrics`, { headers, signal })
      return lossesIn(await response.text())
    } catch {
      return undefined
    }
  }

  /** SIGTERM; seconds until it has ended, undefined when it had to be killed. */
  async stop(): Promise<number | undefined> {
    const before = performance.now()
    const ended = this.watch.stop("SIGTERM").then(() => (performance.now() - before) / 1e3)
    const seconds = await Promise.race([ended, pause(patienceMs, undefined, { ref: false })])
    if (seconds === undefined) {
      this.kill()
      await ended
    }
    this.#isOver = true
    this.receiver.close()
    return seconds
  }

  /** Ends it at once, where it has not been stopped. */
  kill(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const pid of [this.watch.pid, this.#collector]) {
      try {
        process.kill(pid, "SIGKILL")
      } catch {
        // It has ended by itself.
      }
    }
    this.receiver.close()
  }
}

const addressIn = (folder: string): string => `unix:${join(folder, "collectors.sock")}`

function lossesIn(metrics: string): Readonly<Record<string, number>> {
  const losses: Record<string, number> = {}
  const lines = metrics.matchAll(/^backflow_collector_lost_total\{([^}]*)\} ([0-9.e+]+)$/gm)
  for (const [, labels = "", value] of lines) {
    const kind = /kind="([^"]+)"/.exec(labels)?.[1] ?? "?"
    if (Number(value) > 0) losses[kind] = (losses[kind] ?? 0) + Number(value)
  }
  const shed = /^backflow_alerts_shed_total(?:\{[^}]*\})? ([0-9.e+]+)$/m.exec(metrics)?.[1]
  if (Number(shed ?? 0) > 0) losses["alerts shed"] = Number(shed)
  return losses
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}
